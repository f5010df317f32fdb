import { roleClaims, scopedClaims, type Claims } from './claims.js';
import { audienceOf, knownMethods, type Grant } from './grant.js';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { clientOf, saveAccessToken, type AccessToken } from './provider.js';
import type { Realm } from './realm.js';
import { storedScope } from './stored-scope.js';

/** An opaque or JWT access token, by the setting of the application or the service user. */
export async function issueAccessToken(realm: Realm, grant: Grant): Promise<string> {
  const { application, user } = grant;
  const now = nowSeconds();
  const jti = `${grant.id}-at_${newId()}`;
  const clientId = application?.clientId ?? user.id;
  const token = await saveAccessToken(realm.provider, {
    client: await clientOf(realm.provider, clientId),
    jti,
    iat: now,
    exp: now + realm.lifetimes.accessTokenSeconds,
    accountId: user.id,
    aud: audienceOf(realm, grant),
    scope: storedScope(grant.scopes),
    grantId: grant.id,
    gty: 'authorization_code',
    extra: { authTime: grant.authTime, amr: knownMethods(grant) },
    ...(grant.sid !== undefined && { sid: grant.sid }),
  });
  const kind = application ? application.accessTokenType : (user.accessTokenType ?? 'opaque');
  return kind === 'jwt'
    ? realm.keys.sign(jwtAccessTokenClaims(realm, grant, token))
    : realm.seal.seal(`${jti}:${user.id}`);
}

function jwtAccessTokenClaims(realm: Realm, grant: Grant, token: AccessToken): Claims {
  const { application, user, scopes } = grant;
  const skew = application?.clockSkewSeconds ?? 0;
  return {
    iss: realm.issuer,
    sub: user.id,
    aud: token.aud,
    exp: (token.exp ?? 0) + skew,
    iat: token.iat - skew,
    nbf: token.iat - skew,
    client_id: token.clientId,
    jti: token.jti,
    ...scopedClaims(user, scopes),
    ...(application?.accessTokenRoleAssertion && roleClaims(user, scopes, application.project)),
  };
}
