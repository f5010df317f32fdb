import type { SignInFailure } from '@mridang/nestjs-auth';
import type { ClientRefusal } from './oidc.errors.js';

/** Whether a request to the token endpoint has this `grant_type`. */
export const isGrant = (
  init: RequestInit | undefined,
  type: 'authorization_code' | 'refresh_token',
): init is { body: URLSearchParams } =>
  init?.body instanceof URLSearchParams && init.body.get('grant_type') === type;

/** Whether the `token_type` of a token response is `Bearer`, in any case (RFC 6749 5.1, 7.1). */
export const isBearer = ({ token_type: type }: Record<string, unknown>): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'bearer';

const clientRefusals: readonly unknown[] = [
  'invalid_client',
  'unauthorized_client',
] satisfies ClientRefusal[];

/** The `error_description` for a refresh token of another client, which Zitadel sends with the same `error`. */
const TOKEN_OF_ANOTHER_CLIENT = 'client_id does not correspond to the client_id in the refresh token';

/** Returns the `error` with which a token response refuses the client; `undefined` when it refuses the token, or nothing. */
export function clientRefusal(body: {
  error?: unknown;
  error_description?: unknown;
}): ClientRefusal | undefined {
  return clientRefusals.includes(body.error) && body.error_description !== TOKEN_OF_ANOTHER_CLIENT
    ? (body.error as ClientRefusal)
    : undefined;
}

/** Values of `error` that refuse the client and not the code: its configuration differs from that in Zitadel. */
const clientErrors = ['invalid_client', 'unauthorized_client', 'unsupported_grant_type'];

/** Values of `error_description` that another attempt of the user cannot change. */
const REQUEST_DESCRIPTION = /redirect_uri|code_verifier/;

/** Values of `error_description` about a user whose state changed between the login page and the token request. */
const reasonsByUserError = new Map<string, SignInFailure>([
  ['Errors.User.NotActive', 'access_denied'],
  ['Errors.User.Locked', 'user_locked'],
  ['Errors.User.NotFound', 'user_not_found'],
]);

/**
 * Returns why the token endpoint refused a code (RFC 6749 5.2), or `undefined` when it did not. Zitadel answers 400 where others have
 * 401, and `invalid_request` with an id such as `Errors.AuthRequest.NoCode` where others have `invalid_grant`, for a code that was
 * redeemed before or has expired.
 */
export function codeRefusal(status: number, body: unknown): SignInFailure | undefined {
  if (status < 400) return undefined;
  const { error, error_description: given } = (body ?? {}) as Record<string, unknown>;
  const description = typeof given === 'string' ? given : '';
  if (status === 401 || clientErrors.includes(String(error))) return 'provider_misconfigured';
  const ofUser = reasonsByUserError.get(/^[\w.]*/.exec(description)?.[0] ?? '');
  if (ofUser) return ofUser;
  if (REQUEST_DESCRIPTION.test(description)) return 'provider_error';
  const isAboutCode = error === 'invalid_grant' || description.startsWith('Errors.');
  return isAboutCode ? 'login_already_used' : 'provider_error';
}
