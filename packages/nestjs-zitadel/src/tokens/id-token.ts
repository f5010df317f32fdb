import { hash } from 'node:crypto';
import type { JWTPayload, JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { CLOCK_TOLERANCE_SECONDS, refuseUnless } from './token-checks.js';

/** The claims of a validated ID token. */
export interface IdTokenClaims extends JWTPayload {
  sub: string;
}

const MAX_SUB_LENGTH = 255;

/** Options of jose, in addition to algorithm, `iss` and `aud`. */
export const idTokenRules = {
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  requiredClaims: ['iat', 'exp', 'sub'],
} satisfies JWTVerifyOptions;

/**
 * Makes the checks of OpenID Connect Core 3.1.3.7 that jose does not make.
 *
 * @param accessToken of the same token response, for `at_hash`
 * @throws `TokenFault`
 */
export function checkIdToken(
  { payload, protectedHeader }: JWTVerifyResult,
  clientId: string,
  accessToken: string | undefined,
): IdTokenClaims {
  const { sub, aud, azp, iat, auth_time: authTime, at_hash: accessTokenHash } = payload;
  const latest = Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS;
  refuseUnless(isSubject(sub), 'sub is not a valid identifier (OpenID Connect Core 2)');
  refuseUnless(
    !Array.isArray(aud) || aud.length < 2 || azp !== undefined,
    'azp is missing, which several values in aud require',
  );
  refuseUnless(azp === undefined || azp === clientId, 'azp names another client');
  refuseUnless(Number(iat) <= latest, 'iat is in the future');
  refuseUnless(
    authTime === undefined || (typeof authTime === 'number' && authTime <= latest),
    'auth_time is in the future, or not a number',
  );
  refuseUnless(
    accessTokenHash === undefined ||
      (accessToken !== undefined && accessTokenHash === leftHalf(accessToken, protectedHeader.alg)),
    'at_hash does not match the access token',
  );
  return payload as IdTokenClaims;
}

const isSubject = (sub: unknown): sub is string =>
  typeof sub === 'string' && sub.length > 0 && sub.length <= MAX_SUB_LENGTH && /^[\x20-\x7e]+$/.test(sub);

/** Returns `at_hash` (OpenID Connect Core 3.1.3.6): the left half of a hash with the hash function of the signature. */
function leftHalf(accessToken: string, algorithm: string): string {
  const bits = /(256|384|512)$/.exec(algorithm)?.[1];
  // Ed25519 uses SHA-512 (RFC 8032 5.1); the number in its name is not a hash length.
  const bytes = hash(`sha${bits ?? 512}`, accessToken, 'buffer');
  return bytes.subarray(0, bytes.length / 2).toString('base64url');
}
