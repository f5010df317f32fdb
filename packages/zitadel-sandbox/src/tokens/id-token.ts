import { createHash } from 'node:crypto';
import { profileClaims, roleClaims, scopedClaims } from '../directory/claims.js';
import type { Instance } from '../instance/instance.js';
import { audienceOf, clientIdOf, knownMethods, type Grant } from '../sessions/grant.js';
import { nowSeconds } from '../storage/now.js';

/**
 * The ID token of a login; profile and roles are in it only if the application's settings say so. One that comes
 * without an access token has no `at_hash`.
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
    amr: knownMethods(grant),
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
