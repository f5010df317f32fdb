import { ProviderUnavailable } from '@mridang/nestjs-auth';
import { HttpException } from '@nestjs/common';
import { WWWAuthenticateChallengeError } from 'openid-client';

/** 503: Zitadel did not answer in time, or answered 5xx. Trying again later helps. */
export class IdpUnavailable extends ProviderUnavailable {}

/** 401: Zitadel no longer accepts the access token. Signing in again helps. */
export class AccessTokenRejected extends HttpException {
  readonly code = 'ZITADEL_ACCESS_TOKEN_REJECTED';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel no longer accepts this session. Sign in again', 401, options);
  }
}

/** 502: Zitadel answered something this application must not accept. Somebody has to look at the log. */
class IdpMisbehaved extends HttpException {
  readonly code = 'ZITADEL_UNEXPECTED_ANSWER';

  constructor(options?: { cause?: unknown }) {
    super('Zitadel answered something unexpected', 502, options);
  }
}

/** Translates what openid-client and the network throw. */
export function translated(error: unknown): Error {
  let cause = error;
  for (; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof IdpUnavailable) return cause;
    if (cause instanceof WWWAuthenticateChallengeError && cause.status === 401) break;
  }
  // Zitadel's 401 carries no challenge: the library ends its chain of causes with the answer itself.
  const { status } = (cause ?? {}) as { status?: unknown };
  return status === 401 ? new AccessTokenRejected({ cause: error }) : new IdpMisbehaved({ cause: error });
}
