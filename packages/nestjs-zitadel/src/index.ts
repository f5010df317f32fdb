export { ZitadelModule, type ZitadelModuleAsyncOptions } from './zitadel.module.js';
export {
  ZitadelApiModule,
  type ZitadelApiModuleAsyncOptions,
  type ZitadelApiModuleConfig,
} from './zitadel-api.module.js';
export {
  ZITADEL_API_OPTIONS,
  ZITADEL_OPTIONS,
  type ResolvedZitadelApiOptions,
  type ResolvedZitadelOptions,
  type ZitadelApiOptions,
  type ZitadelOptions,
} from './zitadel.options.js';
export type {
  BackChannelLogoutResult,
  EventResult,
  RefreshResult,
  SessionOwner,
  SignOutResult,
  ZitadelEndpoint,
  ZitadelObserver,
} from './zitadel.observer.js';
export {
  Authenticate,
  CurrentUser,
  type AuthenticationKind,
} from './authenticate/authenticate.decorators.js';
export { describeCredentials } from './authenticate/describe-credentials.js';
export { swaggerLogin } from './authenticate/swagger-login.js';
export { BearerGuard } from './bearer/bearer.guard.js';
export {
  ApiError,
  AuthorizationAmbiguous,
  CallerRoleRequired,
  FactorsRequired,
  IntrospectionUnavailable,
  LoginTooOld,
  ScopeRequired,
  TokenInvalid,
  TokenRequired,
} from './bearer/api.errors.js';
export { Caller, type CalledRequest } from './bearer/caller.js';
export { OrganizationRequired, OrganizationWithoutRoles } from './organizations/organization.errors.js';
export { CurrentOrganization, RequireRoles } from './organizations/organization.decorators.js';
export { ORGANIZATION_HEADER, type OrganizationsMode } from './organizations/acting.js';
export { choicesOf, choicesWith, labelOf, type OrganizationChoice } from './organizations/choices.js';
export { FreshToken, Scopes } from './bearer/route.decorators.js';
export { RequireFactors, RequireFreshSignIn } from './fresh-sign-in/fresh-sign-in.decorators.js';
export { FreshSignInImpossible, FreshSignInRequired } from './fresh-sign-in/fresh-sign-in.errors.js';
export {
  freshSignInUrl,
  requiredSignIn,
  type SignInRequirements,
} from './fresh-sign-in/sign-in-requirements.js';
export { FORM_NOT_SENT } from './fresh-sign-in/fresh-sign-in.filter.js';
export {
  audienceScope,
  claimsIn,
  METADATA,
  metadataFrom,
  organizationFrom,
  projectIdIn,
  roleGrantsFrom,
  ROLES,
  ROLES_SCOPE,
  rolesFrom,
  scopesProblem,
  type Organization,
  type RoleGrant,
  type ZitadelClaims,
} from './claims/claims.js';
export { phrasesOf, type Explanation } from './refusals/explanation.js';
export {
  failureTexts,
  sessionEndTexts,
  signInTexts,
  signOutTexts,
  type FailureText,
} from './refusals/failure-texts.js';
export { Refusals, type RefusalAnswer } from './refusals/refusals.js';
export { Discovery, type ProviderHealth } from './client/discovery.js';
export { EVENT_TYPES } from './events/zitadel-event.js';
export { callApi, type ApiAnswer, type ApiCallOptions } from './http/call-api.js';
export { boundedFetch } from './http/bounded-fetch.js';
export { isPlainRemote } from './http/is-plain-remote.js';
export { isRedisUrl } from './http/is-redis-url.js';
export { sendWithRetry } from './http/send-with-retry.js';
export { RedactingLogger, type LogLevel } from './log/redacting.logger.js';
export { OutageLog } from './log/outage-log.js';
export { aboutRequest } from './log/audit-log.js';
export { FormReturn } from './http/form-return.js';
export { LiveUserinfo } from './session/live-userinfo.js';
export { serviceKeyFrom, type ApiSettings, type ServiceKey } from './doctor/api-checks.js';
export type { Check } from './doctor/check.js';
export { examineIssuer } from './doctor/issuer-checks.js';
export {
  DeviceTokenRefused,
  tokenByDevice,
  type DeviceApproval,
  type DeviceClient,
} from './doctor/device-token.js';
export { examine, type Patient, type SettingProblem } from './doctor/doctor.js';
export { explainToken, type TokenReport } from './doctor/explain-token.js';
export { apiPort, webPort, type Port } from './doctor/machine-checks.js';
export { checkIds, mistakes, type CheckId, type Mistake, type MistakeCode } from './setup/mistakes.js';
export { SetupProblems } from './setup/setup-problems.js';
export { LoginOrigin } from './sign-in/login-origin.js';
export type { SignedOut, SignOutFailure } from './sign-out/sign-out-pages.js';
export { SignOut } from './sign-out/sign-out.service.js';
export { SharedState } from './state/shared-state.js';
export { signAssertion, type AssertionKey } from './tokens/client-assertion.js';
export {
  apiKeyFrom,
  ApiKeyInvalid,
  apiKeyOf,
  type ApiKey,
  type ApiKeyProblem,
  type ApiKeySource,
} from './tokens/api-key.js';
