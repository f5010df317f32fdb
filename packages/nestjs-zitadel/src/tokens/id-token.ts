import { hash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { CLOCK_TOLERANCE_SECONDS } from './clock-tolerance.js';
import type { Asker, KeySet } from './key-set.js';
import { refuseUnless } from './refuse-unless.js';

/** The claims of an ID token that was verified. */
export interface IdTokenClaims extends JWTPayload {
  sub: string;
}

export interface VerifiedIdToken {
  claims: IdTokenClaims;
  algorithm: string;
}

interface Expected {
  issuer: string;
  clientId: string;
  algorithms: string[];
  /** of the same answer: `at_hash` is about it */
  accessToken: string | undefined;
}

const MAX_SUB_LENGTH = 255;
const asker: Asker = 'sign-in';

/**
 * Verifies an ID token as OpenID Connect Core 3.1.3.7 has it, but for the nonce, which Auth.js compares: it alone knows
 * which one was sent. Throws with the reason, or what `keys` throws.
 */
export async function verifiedIdToken(
  token: string,
  keys: Pick<KeySet, 'verify'>,
  { issuer, clientId, algorithms, accessToken }: Expected,
): Promise<VerifiedIdToken> {
  const { payload, protectedHeader } = await keys.verify(
    token,
    {
      algorithms,
      issuer,
      audience: clientId,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['iat', 'exp', 'sub'],
    },
    asker,
  );
  const { sub, aud, azp, iat, auth_time: authTime, at_hash: accessTokenHash } = payload;
  const latest = Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS;
  refuseUnless(isSubject(sub), 'sub is no identifier (OpenID Connect Core 2)');
  refuseUnless(!Array.isArray(aud) || aud.length < 2 || azp !== undefined, 'several aud need an azp');
  refuseUnless(azp === undefined || azp === clientId, 'azp names another client');
  refuseUnless(Number(iat) <= latest, 'iat lies in the future');
  refuseUnless(
    authTime === undefined || (typeof authTime === 'number' && authTime <= latest),
    'auth_time is no time of a sign-in',
  );
  refuseUnless(
    accessTokenHash === undefined ||
      (accessToken !== undefined && accessTokenHash === leftHalf(accessToken, protectedHeader.alg)),
    'at_hash is not that of the access token',
  );
  return { claims: payload as IdTokenClaims, algorithm: protectedHeader.alg };
}

const isSubject = (sub: unknown): sub is string =>
  typeof sub === 'string' && sub.length > 0 && sub.length <= MAX_SUB_LENGTH && /^[\x20-\x7e]+$/.test(sub);

/** `at_hash` (OpenID Connect Core 3.1.3.6): the hash of the signature's algorithm, half of it. */
function leftHalf(accessToken: string, algorithm: string): string {
  const bits = /(256|384|512)$/.exec(algorithm)?.[1];
  // Ed25519 hashes with SHA-512 (RFC 8032 5.1); its own name ends in what is no hash length.
  const bytes = hash(`sha${bits ?? 512}`, accessToken, 'buffer');
  return bytes.subarray(0, bytes.length / 2).toString('base64url');
}
