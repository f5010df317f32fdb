import { roleClaims, scopedClaims, type Claims } from './claims.js';
import { audienceOf, clientIdOf, knownMethods, type Grant } from './grant.js';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { clientOf, saveAccessToken, type AccessToken } from './provider.js';
import type { Realm } from './realm.js';
import { storedScope } from './stored-scope.js';

export type AccessTokenKind = 'opaque' | 'jwt';

/** An opaque or JWT access token; by the setting of the application or the service user if the kind is not said. */
export async function issueAccessToken(
  realm: Realm,
  grant: Grant,
  kind: AccessTokenKind = settingOf(grant),
): Promise<string> {
  const { application, user } = grant;
  const now = nowSeconds();
  const jti = `${grant.id}-at_${newId()}`;
  const token = await saveAccessToken(realm.provider, {
    client: await clientOf(realm.provider, application?.clientId ?? user.id),
    jti,
    iat: now,
    exp: now + realm.lifetimes.accessTokenSeconds,
    accountId: user.id,
    aud: audienceOf(realm, grant),
    scope: storedScope(grant.scopes),
    grantId: grant.id,
    gty: 'authorization_code',
    extra: { authTime: grant.authTime, amr: knownMethods(grant), act: grant.act },
    ...(grant.sid !== undefined && { sid: grant.sid }),
  });
  return kind === 'jwt'
    ? realm.keys.sign(jwtAccessTokenClaims(realm, grant, token))
    : realm.seal.seal(`${jti}:${user.id}`);
}

function settingOf({ application, user }: Grant): AccessTokenKind {
  return application ? application.accessTokenType : (user.accessTokenType ?? 'opaque');
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
    client_id: clientIdOf(grant),
    jti: token.jti,
    act: grant.act,
    ...scopedClaims(user, scopes),
    ...((application?.accessTokenRoleAssertion ?? true) && roleClaims(user, scopes, application?.project)),
  };
}
