import type { AuthUser, SessionToken } from '@mridang/nestjs-auth';

/** The tokens of a session. */
export interface TokenSet {
  accessToken?: string | undefined;
  refreshToken?: string | undefined;
  /** kept for `id_token_hint`: Zitadel accepts it when it is expired, too */
  idToken?: string | undefined;
  /** when the access token ends, seconds since 1970, where Zitadel has said so */
  accessTokenEndsAt?: number | undefined;
  /** when to renew it, seconds since 1970, where Zitadel has not */
  accessTokenDueAt?: number | undefined;
  /** when it was last renewed, seconds since 1970 */
  accessTokenRenewedAt?: number | undefined;
}

declare module '@auth/core/jwt' {
  /** What this application keeps in the encrypted session cookie. */
  interface JWT extends TokenSet {
    user?: AuthUser;
    /** when userinfo said that of the user, seconds since 1970; with the sign-in where it is missing */
    claimsReadAt?: number;
    /** Zitadel's name of the session, by which it says that the session has ended */
    sid?: string | undefined;
    /** when the user signed in, seconds since 1970; `AuthModule` sets it */
    start?: number;
  }
}

/** How long before its end an access token is renewed, at most: a call under way should still be in time. */
const MAX_MARGIN_SECONDS = 30;

/** The share of its life an access token is not used for, where that is less. */
const MARGIN_SHARE = 0.1;

/** For an answer without `expires_in`, which RFC 6749 5.1 only recommends. */
const DEFAULT_LIFETIME_SECONDS = 300;

/** The tokens of an answer of the token endpoint, as a session keeps them. */
export function tokenSetFrom(answer: {
  access_token?: string | undefined;
  refresh_token?: string | undefined;
  id_token?: string | undefined;
  expires_in?: number | undefined;
}): TokenSet {
  const now = Date.now() / 1000;
  const { expires_in: lifetime } = answer;
  const unknown = DEFAULT_LIFETIME_SECONDS - marginOf(DEFAULT_LIFETIME_SECONDS);
  return {
    accessToken: answer.access_token,
    accessTokenEndsAt: lifetime === undefined ? undefined : now + lifetime,
    accessTokenDueAt: lifetime === undefined ? now + unknown : undefined,
    // A refresh may answer without them: then the old ones stay.
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
    ...(answer.id_token ? { idToken: answer.id_token } : {}),
  };
}

/** When to renew the access token of a session, seconds since 1970; `undefined`: nobody knows. */
export function dueAt(token: SessionToken): number | undefined {
  const { accessTokenEndsAt: endsAt } = token;
  return endsAt === undefined ? token.accessTokenDueAt : endsAt - marginOf(endsAt - issuedAt(token));
}

/** When the access token of a session was issued, seconds since 1970. */
export const issuedAt = ({ accessTokenRenewedAt, start = 0 }: SessionToken): number =>
  accessTokenRenewedAt ?? start;

const marginOf = (lifetimeSeconds: number) => Math.min(MAX_MARGIN_SECONDS, lifetimeSeconds * MARGIN_SHARE);

/** The tokens of a session alone; those that it lacks are `undefined`, and replace others. */
export const tokensIn = (token: TokenSet): TokenSet => ({
  accessToken: token.accessToken,
  refreshToken: token.refreshToken,
  idToken: token.idToken,
  accessTokenEndsAt: token.accessTokenEndsAt,
  accessTokenDueAt: token.accessTokenDueAt,
  accessTokenRenewedAt: token.accessTokenRenewedAt,
});

/** Tells sessions apart. Cookies from before sessions had an id have a user and a start. */
export const sessionNameOf = ({ jti, sub, start }: SessionToken): string => jti ?? `${sub}@${String(start)}`;
