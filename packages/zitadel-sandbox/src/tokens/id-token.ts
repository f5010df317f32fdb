import { createHash } from 'node:crypto';
import { profileClaims, roleClaims, scopedClaims } from '../directory/claims.js';
import type { Instance } from '../instance/instance.js';
import { audienceOf, clientIdOf, amrClaim, type Grant } from '../sessions/grant.js';
import { nowSeconds } from '../storage/now.js';

/**
 * Issues an ID token. It contains profile and roles only if the application's settings say so, and `at_hash` only with
 * an access token.
 */
export async function issueIdToken(instance: Instance, grant: Grant, accessToken?: string): Promise<string> {
  const { application, user, scopes, authTime } = grant;
  const clientId = clientIdOf(grant);
  const skew = application?.clockSkewSeconds ?? 0;
  const now = nowSeconds();
  return instance.keys.sign({
    iss: instance.issuer,
    sub: user.id,
    aud: [...new Set([...audienceOf(instance.applications, grant), clientId])],
    exp: now + (grant.idTokenSeconds ?? instance.lifetimes.idTokenSeconds) + skew,
    iat: now - skew,
    auth_time: authTime === undefined ? undefined : authTime - skew,
    nonce: grant.nonce,
    amr: amrClaim(grant),
    azp: clientId,
    client_id: clientId,
    at_hash: accessToken === undefined ? undefined : leftHalfHash(accessToken),
    sid: grant.sid,
    act: grant.act,
    ...scopedClaims(user, scopes),
    ...(application?.idTokenUserinfo && profileClaims(user, scopes)),
    ...((application?.idTokenRoleAssertion ?? true) && roleClaims(user, scopes, application?.project)),
  });
}

function leftHalfHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
}
