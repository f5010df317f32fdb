import { randomBytes } from 'node:crypto';
import { HttpException } from '@nestjs/common';

/** A short random name for one failure, the same in the log and in the answer. */
export const newReference = (): string => randomBytes(6).toString('hex');

/** Every refusal of this module: an HTTP status, a stable `code`, and nothing secret in the message. */
export abstract class AuthError extends HttpException {
  abstract readonly code: string;

  constructor(message: string, status: number, options?: { cause?: unknown }) {
    super(message, status, options);
    this.name = new.target.name;
  }

  override getResponse(): { statusCode: number; code: string; message: string } {
    return { statusCode: this.getStatus(), code: this.code, message: this.message };
  }
}

/** 401: the route needs a session and the request has none. */
export class SessionRequired extends AuthError {
  readonly code = 'AUTH_SESSION_REQUIRED';

  /**
   * @param returnTo path and query to come back to after sign-in
   * @param ended why the session that was there is over
   * @param options.cause the `SessionEnded` that says so
   */
  constructor(
    readonly returnTo: string,
    readonly ended?: SessionEnd,
    options?: { cause?: unknown },
  ) {
    super('Sign-in is required', 401, options);
  }
}

/** Why a session that was there is over. */
export type SessionEnd =
  /** the provider refused to renew the tokens, or answered with those of somebody else */
  | 'refresh_rejected'
  /** the access token is no longer accepted, and there is no refresh token to get another with */
  | 'no_refresh'
  /** it was ended before its time: signed out elsewhere, or by the provider */
  | 'revoked'
  /** the renewed tokens do not fit into the session, or the program cannot use them */
  | 'unusable';

/** 401: there was a session, and the provider has put an end to it. */
export class SessionEnded extends AuthError {
  readonly code = 'AUTH_SESSION_ENDED';

  constructor(
    readonly reason: SessionEnd,
    options?: { cause?: unknown },
  ) {
    super('The session has ended. Please sign in again', 401, options);
  }
}

/** 403: signed in, but with none of the roles the route asks for. */
export class RolesRequired extends AuthError {
  readonly code = 'AUTH_ROLES_REQUIRED';

  constructor(readonly roles: readonly string[]) {
    super('This needs a role you do not have', 403);
  }
}

/** 403: a state-changing request without the token of the form it claims to come from. */
export class CsrfTokenInvalid extends AuthError {
  readonly code: string = 'AUTH_CSRF_TOKEN_INVALID';

  constructor(message = 'The form is no longer valid. Go back, reload the page and try again') {
    super(message, 403);
  }
}

/** 403: a form that came without any cookie of this application: the browser keeps none, or has deleted them. */
export class CsrfCookieMissing extends CsrfTokenInvalid {
  override readonly code = 'AUTH_CSRF_COOKIE_MISSING';

  constructor() {
    super('The browser has sent no cookie. Allow cookies for this site, reload the page and try again');
  }
}

/** 403: a state-changing request that another site made the browser send. */
export class CrossSiteRequest extends AuthError {
  readonly code = 'AUTH_CROSS_SITE_REQUEST';

  /** @param origin where the form has to come from */
  constructor(origin: string) {
    super(`This form was not sent from ${origin}. Open the application there and try again`, 403);
  }
}

/** 503: whether the session was ended before its time cannot be found out now. Trying again later helps. */
export class SessionsUnavailable extends AuthError {
  readonly code = 'AUTH_SESSIONS_UNAVAILABLE';

  constructor(options?: { cause?: unknown }) {
    super('The session cannot be checked right now', 503, options);
  }
}

/** 503: the identity provider did not answer, or said that it cannot now. Trying again later helps. */
export class ProviderUnavailable extends AuthError {
  readonly code: string = 'AUTH_PROVIDER_UNAVAILABLE';
  /** for how long the provider wants to be left alone, if it has said so */
  readonly retryAfterSeconds: number | undefined;

  constructor({
    retryAfterSeconds,
    ...options
  }: { cause?: unknown; retryAfterSeconds?: number | undefined } = {}) {
    super('The identity provider cannot be reached', 503, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Why a sign-in did not end in a session. */
export type SignInFailure =
  /** the user or the provider's policy said no (`error=access_denied`) */
  | 'access_denied'
  /** the user was locked on the way here */
  | 'user_locked'
  /** the user was removed on the way here */
  | 'user_not_found'
  /** the provider would have to ask the user, and `prompt=none` forbade it (OpenID Connect Core 3.1.2.6) */
  | 'interaction_required'
  /** the sign-in took longer than its check cookie lives */
  | 'login_timed_out'
  /** the callback was answered before: a code is used once (RFC 6749 4.1.2) */
  | 'login_already_used'
  /** the browser sent no cookie at all */
  | 'cookie_missing'
  /** the sign-in began in another browser (RFC 9700 4.7) */
  | 'other_browser'
  /** the callback's `state` is missing, doubled or not one this application made */
  | 'state_invalid'
  /** another check of the callback failed: nonce, PKCE or `iss` (RFC 9207) */
  | 'check_failed'
  /** the provider cannot be reached or answers 5xx */
  | 'provider_unavailable'
  /** the provider's metadata or its refusal of the client show that the set-up is wrong */
  | 'provider_misconfigured'
  /** the ID token is not one this application may accept (OpenID Connect Core 3.1.3.7) */
  | 'id_token_invalid'
  /** the userinfo is about somebody else (OpenID Connect Core 5.3.2) */
  | 'userinfo_mismatch'
  /** the tokens do not fit into the cookies a browser keeps for a site */
  | 'session_too_large'
  /** the user logged in longer ago than `max_age` allows, and the provider did not ask again */
  | 'login_too_old'
  /** the sign-in was for an organization that is none, or none the provider knows */
  | 'organization_unknown'
  /** the sign-in was for an organization, and who signed in is of another */
  | 'organization_mismatch'
  /** the provider refused the request or sent something invalid */
  | 'provider_error';

const failureStatus: Record<SignInFailure, number> = {
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
  organization_unknown: 400,
  organization_mismatch: 403,
  provider_error: 502,
};

/** The sign-in flow ended without a session. `cause` holds the library's error, for the log. */
export class SignInFailed extends AuthError {
  readonly code = 'AUTH_SIGN_IN_FAILED';
  /** what the person can tell whoever reads the log, where it stands, too */
  readonly reference = newReference();
  /** the provider or the set-up has failed, and not this one sign-in */
  readonly needsOperator: boolean;

  /**
   * @param options.isFromAddress what says so stands in an address that anybody can open: that is never a fault of a server, so the
   * status is 400 where it would be above
   */
  constructor(
    readonly reason: SignInFailure,
    { isFromAddress = false, ...options }: { cause?: unknown; isFromAddress?: boolean } = {},
  ) {
    const status = failureStatus[reason];
    super('Sign-in did not succeed', isFromAddress && status >= 500 ? 400 : status, options);
    this.needsOperator = status >= 500;
  }
}

/** What a program put into the session does not fit into its cookies. */
export class SessionTooLarge extends Error {
  /** @param largest what takes most room in it */
  constructor(
    readonly length: number,
    readonly limit: number,
    largest: string,
  ) {
    super(
      `The session takes ${length} bytes, and ${limit} are allowed. Ask for fewer claims or roles. The largest: ${largest}`,
    );
    this.name = 'SessionTooLarge';
  }
}

/** 405: the address is there, but not for this method (RFC 9110 15.5.6). */
export class MethodNotAllowed extends AuthError {
  readonly code = 'METHOD_NOT_ALLOWED';

  /** @param allowed for the `Allow` header */
  constructor(readonly allowed: readonly string[]) {
    super(`This address takes ${allowed.join(', ')}`, 405);
  }
}

/** 404: a path below the module's base path that Auth.js does not know. */
export class UnknownAuthAction extends AuthError {
  readonly code = 'AUTH_UNKNOWN_ACTION';

  constructor() {
    super('There is no such page', 404);
  }
}
