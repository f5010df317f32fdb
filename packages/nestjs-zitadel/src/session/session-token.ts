import type { AuthUser, SessionToken } from '@mridang/nestjs-auth';

export { dueAt, issuedAt, tokenSetFrom, tokensIn, type TokenSet } from '@mridang/nestjs-auth';

declare module '@auth/core/jwt' {
  /** The content of the encrypted session cookie. */
  interface JWT {
    user?: AuthUser;
    /** when `user` was read from userinfo, seconds since 1970; missing: at sign-in */
    claimsReadAt?: number;
    /** id of the active organization; only with `organizations: 'active'` */
    organizationId?: string | undefined;
    /** session id at Zitadel, which a logout token names */
    sid?: string | undefined;
  }
}

/** Identifies a session: by `jti`, or in cookies of older versions by user and time of sign-in. */
export const sessionIdOf = ({ jti, sub, start }: SessionToken): string => jti ?? `${sub}@${String(start)}`;
