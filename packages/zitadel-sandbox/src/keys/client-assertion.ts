import { createPublicKey } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { nowSeconds } from '../storage/now.js';
import type { ApplicationKeyFile, ServiceUserKeyFile } from './key-file.js';

type KeyFile = ApplicationKeyFile | ServiceUserKeyFile;

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const maxAgeSeconds = 3600;
const toleranceSeconds = 1;

/** The `iss` of an assertion, not verified; undefined when it is not a JWT, or `exp` or `iat` is not a number. */
export function unverifiedIssuer(assertion: string): string | undefined {
  try {
    decodeProtectedHeader(assertion);
    const { iss, exp, iat } = decodeJwt(assertion);
    return [exp, iat].every((time) => ['number', 'undefined'].includes(typeof time))
      ? (iss ?? '')
      : undefined;
  } catch {
    return undefined;
  }
}

/** The claims of a JWT signed with the key of `keyFile` (RS256, its `kid`); undefined for any other string. */
export async function claimsSignedWith(keyFile: KeyFile, jwt: string): Promise<JWTPayload | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(jwt, createPublicKey(keyFile.key), {
      algorithms: ['RS256'],
    });
    if (protectedHeader.kid !== keyFile.keyId) return undefined;
    return JSON.parse(Buffer.from(payload).toString()) as JWTPayload;
  } catch {
    return undefined;
  }
}

/**
 * True when `assertion` is signed with the key of `keyFile` and valid for this issuer: `iss` and `sub` are the owner,
 * `aud` contains the issuer exactly, and it is neither expired nor older than an hour. `jti` is not checked, so an
 * assertion may be reused, as with Zitadel (introspection, JWT profile).
 */
async function isAssertionOf(keyFile: KeyFile, assertion: string, issuer: string): Promise<boolean> {
  const owner = keyFile.type === 'application' ? keyFile.clientId : keyFile.userId;
  const claims = await claimsSignedWith(keyFile, assertion);
  return claims !== undefined && claims.iss === owner && claims.sub === owner && isFor(issuer, claims);
}

/** True when one of the keys makes `assertion` valid, see `isAssertionOf`. */
export async function isAssertionOfOne(keys: KeyFile[], assertion: string, issuer: string): Promise<boolean> {
  for (const key of keys) if (await isAssertionOf(key, assertion, issuer)) return true;
  return false;
}

function isFor(issuer: string, claims: JWTPayload): boolean {
  const { exp, iat } = claims;
  const now = nowSeconds();
  return (
    audiencesIn(claims).includes(issuer) &&
    typeof exp === 'number' &&
    exp > now + toleranceSeconds &&
    typeof iat === 'number' &&
    iat <= now + toleranceSeconds &&
    iat >= now - maxAgeSeconds
  );
}

/** The `aud` claim as a list; in a JWT it may also be a single string (RFC 7519 section 4.1.3). */
export function audiencesIn({ aud }: { aud?: string | string[] | undefined }): string[] {
  return typeof aud === 'string' ? [aud] : (aud ?? []);
}
