import type { AuthUser, SessionToken } from '@mridang/nestjs-auth';

export { dueAt, issuedAt, tokenSetFrom, tokensIn, type TokenSet } from '@mridang/nestjs-auth';

declare module '@auth/core/jwt' {
  /** The content of the encrypted session cookie. */
  interface JWT {
    user?: AuthUser;
    /** when the request was sent that `user` is from, seconds since 1970; missing: at sign-in */
    claimsReadAt?: number;
    /** id of the active organization, where the user may have no role any longer; only with `organizations: 'active'` */
    organizationId?: string | undefined;
    /** when the user has chosen it, seconds since 1970; missing: never */
    organizationChosenAt?: number;
    /** session id at Zitadel, which a logout token names */
    sid?: string | undefined;
    /** seconds from the login at Zitadel to the sign-in here; missing where Zitadel has named no time */
    loginAge?: number | undefined;
  }
}

/** Identifies a session: by `jti`, or in cookies of older versions by user and time of sign-in. */
export const sessionIdOf = ({ jti, sub, start }: SessionToken): string => jti ?? `${sub}@${String(start)}`;
