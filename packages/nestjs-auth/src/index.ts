export { AuthModule } from './auth.module.js';
export {
  AuthModuleOptions,
  type AuthModuleAsyncOptions,
  type AuthModuleConfig,
  type AuthOptionsFactory,
  type IAuthModuleOptions,
} from './auth.options.js';
export { AuthGuard, type IAuthGuard } from './auth.guard.js';
export { RolesGuard } from './roles.guard.js';
export { AuthMiddleware } from './auth.middleware.js';
export { AuthFilter } from './auth.filter.js';
export type { AuthObserver } from './auth.observer.js';
export { AuthSession, IS_PUBLIC_KEY, Public, REQUIRED_ROLES_KEY, RequireRoles } from './auth.decorators.js';
export {
  AuthError,
  CrossSiteRequest,
  CsrfCookieMissing,
  CsrfTokenInvalid,
  newReference,
  ProviderUnavailable,
  RolesRequired,
  MethodNotAllowed,
  SessionEnded,
  SessionRequired,
  SessionsUnavailable,
  SignInFailed,
  UnknownAuthAction,
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
export type { SessionRefresh } from './session/session-refresh.js';
export type { SessionReload } from './session/session-reload.js';
export type { SessionRevocations } from './session/session-revocations.js';
export type { SignInPolicy } from './sign-in.policy.js';
export { ReturnTargets } from './transaction/return-targets.js';
export { SignIn } from './sign-in.service.js';
export { SessionService } from './session/session.service.js';
export { describeSignInFailure } from './describe-sign-in-failure.js';
export { describeError } from './http/describe-error.js';
export { isPageRequest } from './http/is-page-request.js';
export { isPrefetch } from './http/is-prefetch.js';
export { localPath } from './http/local-path.js';
export { requestTarget } from './http/request-target.js';
export { RouteMetadata } from './http/route-metadata.js';
export { retryAfterOf } from './http/retry-after-of.js';
export { toHttpResponse } from './http/to-http-response.js';
export { toWebRequest } from './http/to-web-request.js';
