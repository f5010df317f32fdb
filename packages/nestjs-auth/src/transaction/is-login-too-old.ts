/** For what a provider rounds, and the moment between its login and its token. */
const TOLERANCE_SECONDS = 5;

interface Asked {
  /** how long ago the user may have logged in when the request was made, seconds */
  maxAge: number;
  /** how long the request is under way, seconds */
  takenSeconds: number;
}

/**
 * Whether the user logged in longer ago than a sign-in has asked for with `max_age` (OpenID Connect Core 3.1.2.1). Both times
 * are the provider's, so clocks that differ do no harm. Without `auth_time` nobody knows, which is too old.
 *
 * @param idToken a verified one
 */
export function isLoginTooOld(idToken: string | undefined, { maxAge, takenSeconds }: Asked): boolean {
  const { auth_time: loggedInAt, iat } = claimsIn(idToken);
  if (typeof loggedInAt !== 'number' || typeof iat !== 'number') return true;
  return iat - loggedInAt > maxAge + Math.max(TOLERANCE_SECONDS, takenSeconds);
}

function claimsIn(idToken = ''): Record<string, unknown> {
  const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString();
  return payload === '' ? {} : (JSON.parse(payload) as Record<string, unknown>);
}
