import {
  AccessDenied,
  InvalidCheck,
  MissingCSRF,
  OAuthCallbackError,
  UnknownAction,
} from '@auth/core/errors';
import type { HttpException } from '@nestjs/common';
import {
  CsrfTokenInvalid,
  isProviderUnavailable,
  isSignInFailed,
  SessionTooLarge,
  SignInFailed,
  UnknownAuthAction,
  type SignInFailure,
} from '../auth.errors.js';
import { causeOf } from '../http/error-chain.js';

const MAX_DEPTH = 8;

// The class of an error may be that of another copy of Auth.js.
const hasType = (error: Error, type: string) => (error as { type?: unknown }).type === type;

/** Whether a link was used before or has expired. */
export const isLinkUsed = (error: Error): error is Error & { type: string } => hasType(error, 'Verification');

/** The refusal of a password. Auth.js takes one of another copy of its class for an error of the program, and makes it a cause. */
export const wrongPasswordIn = (error: Error): WrongPassword | undefined =>
  chainOf(error).find((cause): cause is WrongPassword => hasType(cause, 'CredentialsSignin'));

type WrongPassword = Error & { type: string; code?: string };

/** Whether the user has caused an error: a wrong password, or a link that cannot be used. */
export const isUserError = (error: Error): boolean =>
  wrongPasswordIn(error) !== undefined || isLinkUsed(error);

/** An authorization error response (RFC 6749 4.1.2.1). */
export interface AuthorizationError {
  error: string;
  error_description: string;
}

/**
 * Translates an error of Auth.js into one of this module. Its `cause` is the response of the provider where Auth.js only repeats that,
 * else the error of Auth.js.
 *
 * @param answer the authorization error response, if there is one
 * @param meaning what `SignInPolicy.meaning` returned for it
 */
export function refusalFor(
  error: Error,
  answer: AuthorizationError | undefined,
  meaning?: SignInFailure,
): HttpException {
  if (error instanceof UnknownAction) return new UnknownAuthAction();
  if (error instanceof MissingCSRF) return new CsrfTokenInvalid();
  for (const cause of chainOf(error)) {
    if (isSignInFailed(cause)) return cause;
    if (cause instanceof OAuthCallbackError && answer) {
      const reason = meaning ?? reasonsByError[answer.error] ?? 'provider_error';
      return new SignInFailed(reason, { cause: answer, isFromAddress: true });
    }
    const reason = reasonFor(cause);
    if (reason) return new SignInFailed(reason, { cause: error });
  }
  return new SignInFailed('provider_error', { cause: error });
}

/** An error and its causes. Those of `fetch` are of no class of this module. */
function chainOf(error: Error): Error[] {
  const chain: Error[] = [];
  let cause: unknown = error;
  for (
    ;
    typeof cause === 'object' && cause !== null && chain.length < MAX_DEPTH;
    cause = causeOf(cause as Error)
  )
    chain.push(cause as Error);
  return chain;
}

function reasonFor(error: Error): SignInFailure | undefined {
  if (error instanceof AccessDenied) return 'access_denied';
  if (error instanceof InvalidCheck) return 'check_failed';
  if (error instanceof SessionTooLarge) return 'session_too_large';
  if (isProviderUnavailable(error) || isOutage(error)) return 'provider_unavailable';
  return reasonForCode(error);
}

/** A network error or a timeout of `fetch`, or an answer of the provider with a status of 500 or above. */
function isOutage({ name, cause, message }: Error): boolean {
  if (cause instanceof Response) return cause.status >= 500;
  return name === 'TimeoutError' || (name === 'TypeError' && message === 'fetch failed');
}

/** `error` values of an authorization response (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6). */
const reasonsByError: Record<string, SignInFailure> = {
  access_denied: 'access_denied',
  account_selection_required: 'interaction_required',
  consent_required: 'interaction_required',
  interaction_required: 'interaction_required',
  login_required: 'interaction_required',
  server_error: 'provider_unavailable',
  temporarily_unavailable: 'provider_unavailable',
  invalid_request: 'provider_misconfigured',
  invalid_scope: 'provider_misconfigured',
  unauthorized_client: 'provider_misconfigured',
  unsupported_response_type: 'provider_misconfigured',
};

/** Maps the `code` and `cause` of oauth4webapi, which Auth.js uses, to a reason. */
export function reasonForCode(error: Error): SignInFailure | undefined {
  const { code } = error as { code?: unknown };
  const about = (error.cause ?? {}) as Record<string, unknown>;
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
    return about['attribute'] === 'sub' ? 'userinfo_mismatch' : 'provider_misconfigured';
  if (code === 'OAUTH_INVALID_RESPONSE' && 'parameters' in about) return 'check_failed';
  const isAboutIdToken = typeof code === 'string' && code.startsWith('OAUTH_JWT_');
  return isAboutIdToken || 'claims' in about || 'header' in about ? 'id_token_invalid' : undefined;
}
