import { roleClaims, scopedClaims, type Claims } from '../directory/claims.js';
import { encodeScopes } from '../directory/scopes.js';
import type { Instance } from '../instance/instance.js';
import { audienceOf, clientIdOf, amrClaim, type Grant } from '../sessions/grant.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { findClient, saveAccessToken, type AccessToken } from '../storage/provider.js';

export type AccessTokenKind = 'opaque' | 'jwt';

/** Issues an access token, opaque or JWT; by default as configured for the application or service user. */
export async function issueAccessToken(
  instance: Instance,
  grant: Grant,
  kind: AccessTokenKind = configuredKind(grant),
): Promise<string> {
  const { application, user } = grant;
  const now = nowSeconds();
  const jti = `${grant.id}-at_${newId()}`;
  const token = await saveAccessToken(instance.provider, {
    client: await findClient(instance.provider, application?.clientId ?? user.id),
    jti,
    iat: now,
    exp: now + instance.lifetimes.accessTokenSeconds,
    accountId: user.id,
    aud: audienceOf(instance.applications, grant),
    scope: encodeScopes(grant.scopes),
    grantId: grant.id,
    gty: 'authorization_code',
    extra: { authTime: grant.authTime, amr: amrClaim(grant), act: grant.act },
    ...(grant.sid !== undefined && { sid: grant.sid }),
  });
  return kind === 'jwt'
    ? instance.keys.sign(jwtAccessTokenClaims(instance, grant, token))
    : instance.encryption.encrypt(`${jti}:${user.id}`);
}

function configuredKind({ application, user }: Grant): AccessTokenKind {
  return application ? application.accessTokenType : (user.accessTokenType ?? 'opaque');
}

function jwtAccessTokenClaims(instance: Instance, grant: Grant, token: AccessToken): Claims {
  const { application, user, scopes } = grant;
  const skew = application?.clockSkewSeconds ?? 0;
  return {
    iss: instance.issuer,
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
