import type { JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { CLOCK_TOLERANCE_SECONDS, refuseUnless } from './token-checks.js';

/** The claims of a validated logout token. At least one of `sub` and `sid` is set. */
export interface LogoutTokenClaims {
  jti: string;
  sub: string | undefined;
  sid: string | undefined;
  /** time of issue, seconds since 1970 */
  iat: number;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const MAX_AGE_SECONDS = 15 * 60;

/** How long a logout token is accepted: after that a replay is refused by its age. */
export const LOGOUT_TOKEN_LIFETIME_MS = (MAX_AGE_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS) * 1000;

/** `typ` is `JWT` in tokens of Zitadel, `logout+jwt` in the specification, and missing in tokens of older providers. */
const types = ['logout+jwt', 'jwt'];

/** Options of jose, in addition to algorithm, `iss` and `aud`. */
export const logoutTokenRules = {
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  maxTokenAge: MAX_AGE_SECONDS,
  requiredClaims: ['iat', 'jti', 'events'],
} satisfies JWTVerifyOptions;

/**
 * Makes the checks of OpenID Connect Back-Channel Logout 2.6 that jose does not make. The caller has to refuse a repeated `jti`.
 *
 * @throws `TokenFault`
 */
export function checkLogoutToken({ payload, protectedHeader }: JWTVerifyResult): LogoutTokenClaims {
  const { typ } = protectedHeader;
  const { jti, sub, sid, iat, events, nonce } = payload;
  refuseUnless(typ === undefined || isType(typ), 'typ is not logout+jwt or JWT');
  refuseUnless(isObject(events) && isObject(events[EVENT]), 'events has no back-channel logout event');
  refuseUnless(nonce === undefined, 'nonce is set, which a logout token must not have');
  refuseUnless(isText(jti), 'jti is not a string, or empty');
  refuseUnless(sub === undefined || isText(sub), 'sub is not a string, or empty');
  refuseUnless(sid === undefined || isText(sid), 'sid is not a string, or empty');
  refuseUnless(sub !== undefined || sid !== undefined, 'both sub and sid are missing');
  // jose has checked that it is a number.
  return { jti, sub, sid, iat: Number(iat) };
}

const isType = (typ: unknown) =>
  typeof typ === 'string' && types.includes(typ.toLowerCase().replace(/^application\//, ''));

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
