import type { AuthUser } from '@mridang/nestjs-auth';

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
