export { customFetch } from '@auth/core';
export { authActions } from './auth.engine.js';
export { AuthModule, globalPrefix } from './auth.module.js';
export {
  AuthModuleOptions,
  type AuthModuleAsyncOptions,
  type AuthModuleConfig,
  type AuthObserver,
  type AuthOptionsFactory,
  type IAuthModuleOptions,
  type OtherCredentials,
  type SignInPolicy,
} from './auth.options.js';
export { AuthGuard, type IAuthGuard } from './guards/auth.guard.js';
export { RolesGuard } from './guards/roles.guard.js';
export { hasOneOf, requiredRoles, type RequiredRoles } from './http/required-roles.js';
export { AuthMiddleware } from './auth.middleware.js';
export { AuthFilter } from './failures/auth.filter.js';
export {
  AuthSession,
  IS_PUBLIC_KEY,
  Public,
  REQUIRED_ROLES_KEY,
  RequireRoles,
  ROLES_MEMBER_KEY,
} from './auth.decorators.js';
export {
  CrossSiteRequest,
  CsrfCookieMissing,
  CsrfTokenInvalid,
  isProviderUnavailable,
  isSessionEnded,
  newReference,
  ProviderUnavailable,
  RolesRequired,
  MethodNotAllowed,
  SessionEnded,
  SessionRequired,
  SessionsUnavailable,
  signInFailureStatus,
  SignInFailed,
  UnknownAuthAction,
  type RefusalFacts,
  type RefusalReason,
  type SessionEnd,
  type SignInFailure,
} from './auth.errors.js';
export type {
  AuthenticatedRequest,
  AuthUser,
  AuthUserAugmentation,
  AuthUserBase,
  HttpRequest,
  HttpResponse,
  Session,
  SessionAugmentation,
  SessionBase,
  SessionToken,
} from './auth.types.js';
export { cookieSpec, type CookieSpec } from './session/cookie-spec.js';
export { CsrfService } from './csrf/csrf.service.js';
export { dueAt, issuedAt, tokenSetFrom, tokensIn, type TokenSet } from './refresh/token-set.js';
export type { SessionRefresh, SessionReload, SessionRevocations } from './session/session-extensions.js';
export { ReturnTargets } from './transaction/return-targets.js';
export { SignIn } from './sign-in.service.js';
export { deepFrozen, SessionService } from './session/session.service.js';
export { answered } from './http/to-http-response.js';
export { describeError, describeSignInFailure, onOneLine, retryAfterOf } from './http/error-chain.js';
export { isClickHere, isNavigation, isPageRequest, isPrefetch, requestTarget } from './http/request-facts.js';
export { isMountPath, localPath, pathBelow } from './http/local-path.js';
export { requestOf } from './http/request-of.js';
export { RouteMetadata } from './http/route-metadata.js';
export { toHttpResponse } from './http/to-http-response.js';
export { toWebRequest } from './http/to-web-request.js';
