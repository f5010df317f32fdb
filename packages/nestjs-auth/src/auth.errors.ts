import { randomBytes } from 'node:crypto';
import { ForbiddenException, HttpException, UnauthorizedException } from '@nestjs/common';

/** A short random id of one failure, for the log and for the response. */
export const newReference = (): string => randomBytes(6).toString('hex');

const bodyOf = (statusCode: number, code: string, message: string) => ({ statusCode, code, message });

/** Facts about a refusal, by name. None is a token, a cookie or a secret. */
export type RefusalFacts = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** What errors with the status 401 and 403 say to whoever builds or operates the program. */
export interface RefusalReason {
  /** what the route needs */
  readonly needed?: RefusalFacts | undefined;
  /** what the request has of that */
  readonly held?: RefusalFacts | undefined;
  /** what would help, where that is more than the code says */
  readonly help?: string | undefined;
}

/**
 * Base of the errors that extend no exception of Nest: a status, a stable `code`, and a message without secrets. Every error of this
 * module has the same members.
 */
abstract class AuthError extends HttpException {
  abstract readonly code: string;

  constructor(message: string, status: number, options?: { cause?: unknown }) {
    super(message, status, options);
    this.name = new.target.name;
  }

  override getResponse(): { statusCode: number; code: string; message: string } {
    return bodyOf(this.getStatus(), this.code, this.message);
  }
}

/** 401: the route needs a session and the request has none. */
export class SessionRequired extends UnauthorizedException implements RefusalReason {
  readonly code = 'AUTH_SESSION_REQUIRED';
  readonly needed: RefusalFacts;
  readonly held: RefusalFacts;

  /**
   * @param returnTo path and query of the page after sign-in
   * @param ended why the session ended whose cookie the request carries
   * @param options.cause its `SessionEnded`
   * @param options.isCookieUnreadable whether the request carries a session cookie that cannot be decrypted
   * @param options.otherCredentials what the route takes as well, by its name
   */
  constructor(
    readonly returnTo: string,
    readonly ended?: SessionEnd,
    {
      isCookieUnreadable = false,
      otherCredentials,
      ...options
    }: {
      cause?: unknown;
      isCookieUnreadable?: boolean | undefined;
      otherCredentials?: string | undefined;
    } = {},
  ) {
    super(bodyOf(401, 'AUTH_SESSION_REQUIRED', 'Sign-in is required'), options);
    this.needed = otherCredentials ? { credentials: ['session', otherCredentials] } : { session: true };
    const unused = isCookieUnreadable ? 'a cookie that does not open' : 'none';
    this.held = { session: ended ? `ended (${ended})` : unused };
  }
}

/** Why a session ended. */
export type SessionEnd =
  /** the provider refused to refresh the tokens, or returned tokens of another user */
  | 'refresh_rejected'
  /** the access token has expired and cannot be refreshed: no refresh token, or the provider refuses this client */
  | 'no_refresh'
  /** the session was ended before its expiry: by a sign-out elsewhere, or by the provider */
  | 'revoked'
  /** the refreshed tokens do not fit into the session cookie, or a callback failed on them */
  | 'unusable';

/** 401: the session of the request has ended. */
export class SessionEnded extends UnauthorizedException implements RefusalReason {
  readonly code = 'AUTH_SESSION_ENDED';
  readonly needed = { session: true };
  readonly held: RefusalFacts;

  constructor(
    readonly reason: SessionEnd,
    options?: { cause?: unknown },
  ) {
    super(bodyOf(401, 'AUTH_SESSION_ENDED', 'The session has ended. Please sign in again'), options);
    this.held = { session: `ended (${reason})` };
  }
}

/** Compares the `code`: an error may come from another copy of this package, whose class is another one. */
export const isSessionEnded = (error: unknown): error is SessionEnded =>
  hasCode(error, 'AUTH_SESSION_ENDED' satisfies SessionEnded['code']);

/** 403: the user has none of the roles that the route requires. */
export class RolesRequired extends ForbiddenException implements RefusalReason {
  readonly code = 'AUTH_ROLES_REQUIRED';
  readonly needed: RefusalFacts;

  /** @param roles one of which is required */
  constructor(
    readonly roles: readonly string[],
    readonly held: RefusalFacts = {},
  ) {
    super(bodyOf(403, 'AUTH_ROLES_REQUIRED', 'This needs a role you do not have'));
    this.needed = { roles };
  }
}

/** 403: a state-changing request without the CSRF token of this browser. */
export class CsrfTokenInvalid extends AuthError implements RefusalReason {
  readonly code: string = 'AUTH_CSRF_TOKEN_INVALID';
  readonly needed = { csrf: 'the token of this browser' };

  constructor(
    readonly held: RefusalFacts = {},
    message = 'The form is no longer valid. Go back, reload the page and try again',
  ) {
    super(message, 403);
  }
}

/** 403: a form without a CSRF cookie: the browser blocks or has deleted cookies. */
export class CsrfCookieMissing extends CsrfTokenInvalid {
  override readonly code = 'AUTH_CSRF_COOKIE_MISSING';

  constructor() {
    super(
      { csrf: 'no cookie' },
      'The browser has sent no cookie. Allow cookies for this site, reload the page and try again',
    );
  }
}

/** 403: a state-changing request that another site has caused. */
export class CrossSiteRequest extends AuthError implements RefusalReason {
  readonly code = 'AUTH_CROSS_SITE_REQUEST';
  readonly needed: RefusalFacts;

  /** @param origin of this application */
  constructor(
    origin: string,
    readonly held: RefusalFacts = {},
  ) {
    super(`This form was not sent from ${origin}. Open the application there and try again`, 403);
    this.needed = { origin };
  }
}

/** 503: the store of ended sessions does not answer. A retry may succeed. */
export class SessionsUnavailable extends AuthError {
  readonly code = 'AUTH_SESSIONS_UNAVAILABLE';

  constructor(options?: { cause?: unknown }) {
    super('The session cannot be checked right now', 503, options);
  }
}

/** 503: the identity provider did not answer, or answered that it is unavailable. A retry may succeed. */
export class ProviderUnavailable extends AuthError {
  readonly code: string = 'AUTH_PROVIDER_UNAVAILABLE';
  /** marks all subclasses, whose codes differ, for `isProviderUnavailable` */
  readonly isProviderUnavailable = true;
  /** `Retry-After` of the provider, seconds */
  readonly retryAfterSeconds: number | undefined;

  constructor({
    retryAfterSeconds,
    ...options
  }: { cause?: unknown; retryAfterSeconds?: number | undefined } = {}) {
    super('The identity provider cannot be reached', 503, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** As `isSessionEnded`, for `ProviderUnavailable` and its subclasses. */
export const isProviderUnavailable = (error: unknown): error is ProviderUnavailable =>
  error instanceof Error && (error as Partial<ProviderUnavailable>).isProviderUnavailable === true;

/** Why a sign-in did not end in a session. */
export type SignInFailure =
  /** the user or a policy of the provider denied it (`error=access_denied`) */
  | 'access_denied'
  /** the provider locked the user after the login */
  | 'user_locked'
  /** the provider removed the user after the login */
  | 'user_not_found'
  /** the provider has to show a page, which `prompt=none` forbids (OpenID Connect Core 3.1.2.6) */
  | 'interaction_required'
  /** the check cookie expired before the callback */
  | 'login_timed_out'
  /** the callback was opened before: a code can be used once (RFC 6749 4.1.2) */
  | 'login_already_used'
  /** the browser sent no cookie */
  | 'cookie_missing'
  /** the sign-in began in another browser (RFC 9700 4.7) */
  | 'other_browser'
  /** the `state` of the callback is missing, repeated, or was not issued by this application */
  | 'state_invalid'
  /** another check of the callback failed: nonce, PKCE or `iss` (RFC 9207) */
  | 'check_failed'
  /** the provider cannot be reached or answers 5xx */
  | 'provider_unavailable'
  /** the metadata of the provider, or its refusal of the client, show a wrong configuration */
  | 'provider_misconfigured'
  /** the validation of the ID token failed (OpenID Connect Core 3.1.3.7) */
  | 'id_token_invalid'
  /** the userinfo response has another `sub` (OpenID Connect Core 5.3.2) */
  | 'userinfo_mismatch'
  /** the tokens do not fit into the session cookie */
  | 'session_too_large'
  /** the login of the user is older than `max_age`, and the provider did not ask for another */
  | 'login_too_old'
  /** another user has signed in than the one whose sign-in this is */
  | 'user_mismatch'
  /** the user has signed in without an authentication method that is required */
  | 'factor_missing'
  /** the provider does not know the requested organization */
  | 'organization_unknown'
  /** the user does not belong to the requested organization */
  | 'organization_mismatch'
  /** the provider refused the request for another reason, or sent an invalid response */
  | 'provider_error';

/** The HTTP status of each failure. */
export const signInFailureStatus: Readonly<Record<SignInFailure, number>> = {
  access_denied: 403,
  user_locked: 403,
  user_not_found: 403,
  interaction_required: 401,
  login_timed_out: 400,
  login_already_used: 400,
  cookie_missing: 400,
  other_browser: 400,
  state_invalid: 400,
  check_failed: 400,
  provider_unavailable: 503,
  provider_misconfigured: 502,
  id_token_invalid: 502,
  userinfo_mismatch: 502,
  session_too_large: 502,
  login_too_old: 403,
  user_mismatch: 403,
  factor_missing: 403,
  organization_unknown: 400,
  organization_mismatch: 403,
  provider_error: 502,
};

/** A sign-in failed. `cause` is the error of the library or of the provider, for the log. */
export class SignInFailed extends AuthError implements RefusalReason {
  readonly code = 'AUTH_SIGN_IN_FAILED';
  readonly needed: RefusalFacts;
  readonly held: RefusalFacts;
  /** id of this failure, on the error page and in the log */
  readonly reference = newReference();
  /** whether the provider or the configuration has failed, and not just this sign-in */
  readonly needsOperator: boolean;
  /** a word that says more, for the error page: of `factor_missing` the method */
  readonly detail: string | undefined;
  /** path of the page that was asked for; `undefined` where that is the usual one, or not known */
  returnTo: string | undefined;

  /**
   * @param options.isFromAddress whether the reason comes from the query of the callback, which anybody can write: then a status of 500
   *   or above becomes 400
   */
  constructor(
    readonly reason: SignInFailure,
    {
      isFromAddress = false,
      detail,
      needed = {},
      held = {},
      ...options
    }: { cause?: unknown; isFromAddress?: boolean; detail?: string } & RefusalReason = {},
  ) {
    const status = signInFailureStatus[reason];
    super('Sign-in did not succeed', isFromAddress && status >= 500 ? 400 : status, options);
    this.needsOperator = status >= 500;
    this.detail = detail;
    this.needed = needed;
    this.held = held;
  }
}

/** As `isSessionEnded`. */
export const isSignInFailed = (error: unknown): error is SignInFailed =>
  hasCode(error, 'AUTH_SIGN_IN_FAILED' satisfies SignInFailed['code']);

/** The content of a session does not fit into its cookies. */
export class SessionTooLarge extends Error {
  /** @param largest names and sizes of the largest members */
  constructor(
    readonly length: number,
    readonly limit: number,
    largest: string,
  ) {
    super(
      `The session takes ${length} bytes, the limit is ${limit}. Request fewer claims or roles. The largest: ${largest}`,
    );
    this.name = 'SessionTooLarge';
  }
}

/** 405: the resource does not support the method (RFC 9110 15.5.6). */
export class MethodNotAllowed extends AuthError {
  readonly code = 'METHOD_NOT_ALLOWED';

  /** @param allowed for the `Allow` header */
  constructor(readonly allowed: readonly string[]) {
    super(`Only ${allowed.join(', ')} ${allowed.length === 1 ? 'is' : 'are'} allowed here`, 405);
  }
}

/** 404: Auth.js has no such action below the base path. */
export class UnknownAuthAction extends AuthError {
  readonly code = 'AUTH_UNKNOWN_ACTION';

  constructor() {
    super('There is no such page', 404);
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === code;
