import { ProviderUnavailable } from '@mridang/nestjs-auth';
import { HttpException } from '@nestjs/common';
import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';

/** 503: Zitadel did not respond in time, or answered 5xx or 429. A retry may succeed. */
export class IdpUnavailable extends ProviderUnavailable {}

/** 503: Zitadel answered 429: this application sends too many requests. */
export class IdpBusy extends IdpUnavailable {}

/** 503: another instance may have used the refresh token that Zitadel refuses, or has not finished its refresh. A retry decides. */
export class RefreshInDoubt extends IdpUnavailable {
  override readonly code = 'ZITADEL_REFRESH_IN_DOUBT';
  override message = 'The tokens cannot be refreshed at the moment';
}

/** 503: Zitadel rejects an access token before its expiry, perhaps by mistake. A retry after a few seconds decides. */
export class AccessTokenRejected extends HttpException {
  readonly code = 'ZITADEL_ACCESS_TOKEN_REJECTED';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel rejects the access token at the moment', 503, options);
  }
}

/** Zitadel refused to refresh the tokens, or returned tokens of another user: the session has to end. */
export class RefreshRejected extends Error {
  constructor(options?: { cause?: unknown }) {
    super('Zitadel refused to refresh the tokens', options);
    this.name = 'RefreshRejected';
  }
}

/** Zitadel refuses refreshes of this application, not of this user: the session may continue. */
export class RefreshNotAllowed extends Error {
  /** @param refusal `error` of the answer (RFC 6749 5.2) */
  constructor(
    readonly refusal: ClientRefusal,
    options?: { cause?: unknown },
  ) {
    super(`Zitadel refuses refreshes of this application: ${refusal}`, options);
    this.name = 'RefreshNotAllowed';
  }
}

/** `error` of the token endpoint for an unknown client, or one that may not use the grant type (RFC 6749 5.2). */
export type ClientRefusal = 'invalid_client' | 'unauthorized_client';

/** The validation of an ID token failed; `cause` says which check. */
export class IdTokenRefused extends Error {
  constructor(options?: { cause?: unknown }) {
    super('The ID token is not accepted', options);
    this.name = 'IdTokenRefused';
  }
}

/** 400: the validation of a logout token failed; `cause` says which check. */
export class LogoutTokenRefused extends HttpException {
  constructor(options?: { cause?: unknown }) {
    super('The logout token is not accepted', 400, options);
  }
}

/** 502: the metadata are not those of the configured Zitadel, or lack an endpoint. The log has the reason, for an operator. */
export class IdpMisconfigured extends HttpException {
  readonly code = 'ZITADEL_MISCONFIGURED';

  constructor(options?: { cause?: unknown }) {
    super('The configuration of this application does not match that of Zitadel', 502, options);
  }
}

/** 502: Zitadel sent an invalid response. The log has the reason, for an operator. */
export class IdpMisbehaved extends HttpException {
  readonly code = 'ZITADEL_UNEXPECTED_ANSWER';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel sent an unexpected response', 502, options);
  }
}

const known = [
  IdpUnavailable,
  IdpMisconfigured,
  IdpMisbehaved,
  IdTokenRefused,
  RefreshRejected,
  RefreshNotAllowed,
];

/** Translates an error of openid-client or of the network. */
export function translated(error: unknown): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const candidate = cause;
    if (known.some((kind) => candidate instanceof kind)) return candidate;
  }
  return statusOf(error) === 401
    ? new AccessTokenRejected({ cause: error })
    : new IdpMisbehaved({ cause: error });
}

/** Returns the HTTP status of an error: some errors of openid-client have it, others have the response as their last cause. */
function statusOf(error: unknown): number | undefined {
  let cause = error;
  for (; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ResponseBodyError || cause instanceof WWWAuthenticateChallengeError)
      return cause.status;
  }
  const { status } = (cause ?? {}) as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
}

/**
 * Translates an error of a refresh. Zitadel answers 400 `invalid_request` where RFC 6749 5.2 has `invalid_grant`, so every 4xx means
 * `RefreshRejected`, except one that refuses the client.
 */
export function refreshFailure(error: unknown): Error {
  const failure = translated(error);
  if (failure instanceof IdpUnavailable || failure instanceof RefreshNotAllowed) return failure;
  const status = statusOf(error) ?? 0;
  const isRefusal = status >= 400 && status < 500;
  const isOfOtherUser = error instanceof ClientError && error.code === 'OAUTH_JWT_CLAIM_COMPARISON_FAILED';
  return isRefusal || isOfOtherUser || failure instanceof IdTokenRefused || failure instanceof RefreshRejected
    ? new RefreshRejected({ cause: error })
    : new IdpUnavailable({ cause: error });
}

const MAX_DEPTH = 8;

/** Whether Zitadel does not know a refresh token: it was used or revoked, or has expired. Zitadel does not say which. */
export function isUnknownToken(refusal: unknown): boolean {
  let at = refusal as { cause?: unknown; error?: unknown; error_description?: unknown } | null | undefined;
  for (let depth = 0; at && depth < MAX_DEPTH; at = at.cause as typeof at, depth++)
    if (at.error === 'invalid_grant' || /RefreshTokenInvalid/.test(String(at.error_description))) return true;
  return false;
}
