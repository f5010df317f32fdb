import { ProviderUnavailable } from '@mridang/nestjs-auth';
import { HttpException } from '@nestjs/common';
import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';

/** 503: Zitadel did not answer in time, or answered 5xx or 429. Trying again later helps. */
export class IdpUnavailable extends ProviderUnavailable {}

/** 503: Zitadel is there, and has answered 429: this application asks too much of it. */
export class IdpBusy extends IdpUnavailable {}

/** 503: Zitadel refuses tokens that another instance may have exchanged, or another is still at it. Trying again later tells. */
export class RefreshInDoubt extends IdpUnavailable {
  override readonly code = 'ZITADEL_REFRESH_IN_DOUBT';
  override message = 'Zitadel does not renew the tokens at the moment';
}

/** 503: Zitadel refuses the access token before its time, perhaps by mistake. Trying again in a few seconds tells. */
export class AccessTokenRejected extends HttpException {
  readonly code = 'ZITADEL_ACCESS_TOKEN_REJECTED';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel refuses the access token at the moment', 503, options);
  }
}

/** Zitadel refused to renew the tokens, or answered with somebody else's: the session is over. */
export class RefreshRejected extends Error {
  constructor(options?: { cause?: unknown }) {
    super('Zitadel refused to renew the tokens', options);
    this.name = 'RefreshRejected';
  }
}

/** Zitadel does not let this application renew tokens. That says nothing about the person: the session may go on. */
export class RefreshNotAllowed extends Error {
  /** @param refusal `error` of the answer (RFC 6749 5.2) */
  constructor(
    readonly refusal: ClientRefusal,
    options?: { cause?: unknown },
  ) {
    super(`Zitadel refuses this application: ${refusal}`, options);
    this.name = 'RefreshNotAllowed';
  }
}

/** What the token endpoint says to a client that it does not know, or that may not use this grant. */
export type ClientRefusal = 'invalid_client' | 'unauthorized_client';

/** An ID token that must not be accepted. */
export class IdTokenRefused extends Error {
  constructor(options?: { cause?: unknown }) {
    super('The ID token is not accepted', options);
    this.name = 'IdTokenRefused';
  }
}

/** 400: a logout token that must not be accepted. */
export class LogoutTokenRefused extends HttpException {
  constructor(options?: { cause?: unknown }) {
    super('The logout token is not accepted', 400, options);
  }
}

/** 502: Zitadel's metadata are not those of the Zitadel that is configured. Somebody has to look at the log. */
export class IdpMisconfigured extends HttpException {
  readonly code = 'ZITADEL_MISCONFIGURED';

  constructor(options?: { cause?: unknown }) {
    super('The set-up of this application and Zitadel do not fit together', 502, options);
  }
}

/** 502: Zitadel answered something this application must not accept. Somebody has to look at the log. */
export class IdpMisbehaved extends HttpException {
  readonly code = 'ZITADEL_UNEXPECTED_ANSWER';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel answered something unexpected', 502, options);
  }
}

const ours = [
  IdpUnavailable,
  IdpMisconfigured,
  IdpMisbehaved,
  IdTokenRefused,
  RefreshRejected,
  RefreshNotAllowed,
];

/** Translates what openid-client and the network throw. */
export function translated(error: unknown): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const known = cause;
    if (ours.some((kind) => known instanceof kind)) return known;
  }
  return statusOf(error) === 401
    ? new AccessTokenRejected({ cause: error })
    : new IdpMisbehaved({ cause: error });
}

/** The status of the answer an error is about: some errors carry it, others end their causes with the answer itself. */
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
 * Translates why a refresh failed. Zitadel answers 400 `invalid_request` where RFC 6749 5.2 has `invalid_grant`, so every
 * refusal counts, whatever its code; but not one of the application.
 */
export function refreshFailure(error: unknown): Error {
  const failure = translated(error);
  if (failure instanceof IdpUnavailable || failure instanceof RefreshNotAllowed) return failure;
  const status = statusOf(error) ?? 0;
  const isRefusal = status >= 400 && status < 500;
  const isForeign = error instanceof ClientError && error.code === 'OAUTH_JWT_CLAIM_COMPARISON_FAILED';
  return isRefusal || isForeign || failure instanceof IdTokenRefused || failure instanceof RefreshRejected
    ? new RefreshRejected({ cause: error })
    : new IdpUnavailable({ cause: error });
}

const MAX_DEPTH = 8;

/** Whether a refusal says of a refresh token that it was used, revoked or is too old: which of them, Zitadel does not say. */
export function isUnknownToken(refusal: unknown): boolean {
  let at = refusal as { cause?: unknown; error?: unknown; error_description?: unknown } | null | undefined;
  for (let depth = 0; at && depth < MAX_DEPTH; at = at.cause as typeof at, depth++)
    if (at.error === 'invalid_grant' || /RefreshTokenInvalid/.test(String(at.error_description))) return true;
  return false;
}
