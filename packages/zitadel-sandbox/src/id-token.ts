import { createHash } from 'node:crypto';
import { profileClaims, roleClaims, scopedClaims } from './claims.js';
import { audienceOf, knownMethods, type Grant } from './grant.js';
import { nowSeconds } from './now.js';
import type { Realm } from './realm.js';

/** The ID token of a login; profile and roles are in it only if the application's settings say so. */
export async function issueIdToken(realm: Realm, grant: Grant, accessToken: string): Promise<string> {
  const { application, user, scopes } = grant;
  const clientId = application?.clientId ?? user.id;
  const skew = application?.clockSkewSeconds ?? 0;
  const now = nowSeconds();
  return realm.keys.sign({
    iss: realm.issuer,
    sub: user.id,
    aud: audienceOf(realm, grant),
    exp: now + realm.lifetimes.idTokenSeconds + skew,
    iat: now - skew,
    auth_time: grant.authTime - skew,
    nonce: grant.nonce,
    amr: knownMethods(grant),
    azp: clientId,
    client_id: clientId,
    at_hash: leftHalfHash(accessToken),
    sid: grant.sid,
    ...scopedClaims(user, scopes),
    ...(application?.idTokenUserinfo && profileClaims(user, scopes)),
    ...(application?.idTokenRoleAssertion && roleClaims(user, scopes, application.project)),
  });
}

function leftHalfHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
}
