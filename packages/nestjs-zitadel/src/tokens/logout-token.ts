import type { JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { CLOCK_TOLERANCE_SECONDS } from './clock-tolerance.js';
import { refuseUnless } from './token-fault.js';

/** What a logout token says: whose session has ended, and which. One of `sub` and `sid` is there. */
export interface LogoutTokenClaims {
  jti: string;
  sub: string | undefined;
  sid: string | undefined;
  /** when it was made, seconds since 1970 */
  iat: number;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const MAX_AGE_SECONDS = 15 * 60;

/** How long a logout token could be sent again. */
export const LOGOUT_TOKEN_LIFETIME_MS = (MAX_AGE_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS) * 1000;

/** Zitadel writes `JWT`, the specification `logout+jwt`, older providers nothing. */
const types = ['logout+jwt', 'jwt'];

/** What jose checks, beside signature, algorithm, `iss` and `aud`. */
export const logoutTokenRules = {
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  maxTokenAge: MAX_AGE_SECONDS,
  requiredClaims: ['iat', 'jti', 'events'],
} satisfies JWTVerifyOptions;

/**
 * The checks of OpenID Connect Back-Channel Logout 2.6 that jose does not make. The caller compares `jti` with those seen before.
 *
 * @throws TokenFault
 */
export function checkLogoutToken({ payload, protectedHeader }: JWTVerifyResult): LogoutTokenClaims {
  const { typ } = protectedHeader;
  const { jti, sub, sid, iat, events, nonce } = payload;
  refuseUnless(typ === undefined || isType(typ), 'typ is not that of a logout token');
  refuseUnless(isObject(events) && isObject(events[EVENT]), 'events do not name a logout');
  refuseUnless(nonce === undefined, 'a logout token has no nonce');
  refuseUnless(isText(jti), 'jti is no text');
  refuseUnless(sub === undefined || isText(sub), 'sub is no text');
  refuseUnless(sid === undefined || isText(sid), 'sid is no text');
  refuseUnless(sub !== undefined || sid !== undefined, 'neither sub nor sid says who');
  // jose has seen that it is a number.
  return { jti, sub, sid, iat: Number(iat) };
}

const isType = (typ: unknown) =>
  typeof typ === 'string' && types.includes(typ.toLowerCase().replace(/^application\//, ''));

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
