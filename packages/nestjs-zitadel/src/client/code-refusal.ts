import type { SignInFailure } from '@mridang/nestjs-auth';

/** About the client, not about this one sign-in: it is not what Zitadel has, or may not do this. */
const aboutTheClient = ['invalid_client', 'unauthorized_client', 'unsupported_grant_type'];

/** Descriptions of refusals that no other attempt of the user would change. */
const aboutTheRequest = /redirect_uri|code_verifier/;

/** What became of the user between the login page and here. */
const aboutTheUser = new Map<string, SignInFailure>([
  ['Errors.User.NotActive', 'access_denied'],
  ['Errors.User.Locked', 'user_locked'],
  ['Errors.User.NotFound', 'user_not_found'],
]);

/**
 * Why the token endpoint refused a code, by its answer (RFC 6749 5.2). Zitadel answers 400 where others have 401, and
 * `invalid_request` with an id such as `Errors.AuthRequest.NoCode` where others have `invalid_grant`: a code that was
 * exchanged before, or came too late. Returns `undefined` for an answer that is no refusal.
 */
export function codeRefusal(status: number, body: unknown): SignInFailure | undefined {
  if (status < 400) return undefined;
  const { error, error_description: given } = (body ?? {}) as Record<string, unknown>;
  const description = typeof given === 'string' ? given : '';
  if (status === 401 || aboutTheClient.includes(String(error))) return 'provider_misconfigured';
  const ofUser = aboutTheUser.get(/^[\w.]*/.exec(description)?.[0] ?? '');
  if (ofUser) return ofUser;
  if (aboutTheRequest.test(description)) return 'provider_error';
  const isAboutTheCode = error === 'invalid_grant' || description.startsWith('Errors.');
  return isAboutTheCode ? 'login_already_used' : 'provider_error';
}
