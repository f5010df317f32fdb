import type { AuthUser, SessionToken } from '@mridang/nestjs-auth';

declare module '@auth/core/jwt' {
  /** What this application keeps in the encrypted session cookie. */
  interface JWT {
    user?: AuthUser;
    accessToken?: string | undefined;
    refreshToken?: string | undefined;
    /** kept for `id_token_hint`: Zitadel accepts it when it is expired, too */
    idToken?: string | undefined;
    /** seconds since 1970 */
    accessTokenEndsAt?: number | undefined;
  }
}

/** The user in a session cookie. */
export function userOf({ user }: SessionToken): AuthUser {
  if (!user) throw new Error('The session holds no user');
  return user;
}
