import type { SessionToken } from '../auth.types.js';

/** The tokens of a session. */
export interface TokenSet {
  accessToken?: string | undefined;
  refreshToken?: string | undefined;
  /** for `id_token_hint`: providers accept an expired one, too */
  idToken?: string | undefined;
  /** expiry of the access token, seconds since 1970; missing where the token response had no `expires_in` */
  accessTokenEndsAt?: number | undefined;
  /** when to refresh it, seconds since 1970; only without `expires_in` */
  accessTokenDueAt?: number | undefined;
  /** time of the last refresh, seconds since 1970 */
  accessTokenRenewedAt?: number | undefined;
}

declare module '@auth/core/jwt' {
  /** The content of the encrypted session cookie. */
  interface JWT extends TokenSet {
    /** time of sign-in, seconds since 1970 */
    start?: number;
  }
}

/** An access token is refreshed at most this long before its expiry, so that a request with it still arrives in time… */
const MAX_MARGIN_SECONDS = 30;

/** …and for a short-lived one, this share of its lifetime before. */
const MARGIN_SHARE = 0.1;

/** Assumed without `expires_in`, which RFC 6749 5.1 only recommends. */
const DEFAULT_LIFETIME_SECONDS = 300;

/** Returns the token set of a token response. */
export function tokenSetFrom(answer: {
  access_token?: string | undefined;
  refresh_token?: string | undefined;
  id_token?: string | undefined;
  expires_in?: number | undefined;
}): TokenSet {
  const now = Date.now() / 1000;
  const { expires_in: lifetime } = answer;
  const dueAfter = DEFAULT_LIFETIME_SECONDS - marginOf(DEFAULT_LIFETIME_SECONDS);
  return {
    accessToken: answer.access_token,
    accessTokenEndsAt: lifetime === undefined ? undefined : now + lifetime,
    accessTokenDueAt: lifetime === undefined ? now + dueAfter : undefined,
    // The response of a refresh may lack them: then the old ones are kept.
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
    ...(answer.id_token ? { idToken: answer.id_token } : {}),
  };
}

/** When to refresh the access token of a session, seconds since 1970; `undefined` when unknown. */
export function dueAt(token: SessionToken): number | undefined {
  const { accessTokenEndsAt: endsAt } = token;
  return endsAt === undefined ? token.accessTokenDueAt : endsAt - marginOf(endsAt - issuedAt(token));
}

/** Time of issue of the access token of a session, seconds since 1970. */
export const issuedAt = ({ accessTokenRenewedAt, start = 0 }: SessionToken): number =>
  accessTokenRenewedAt ?? start;

const marginOf = (lifetimeSeconds: number) => Math.min(MAX_MARGIN_SECONDS, lifetimeSeconds * MARGIN_SHARE);

/** Returns the token set of a session. Missing tokens are `undefined`, so that they replace others when merged. */
export const tokensIn = (token: TokenSet): TokenSet => ({
  accessToken: token.accessToken,
  refreshToken: token.refreshToken,
  idToken: token.idToken,
  accessTokenEndsAt: token.accessTokenEndsAt,
  accessTokenDueAt: token.accessTokenDueAt,
  accessTokenRenewedAt: token.accessTokenRenewedAt,
});
