import type { Grant } from './grant.js';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { clientOf } from './provider.js';
import type { Realm } from './realm.js';
import { storedScope } from './stored-scope.js';

/** A refresh token that lives for the idle time, but not beyond its time since `firstIssuedAt` (seconds). */
export async function issueRefreshToken(realm: Realm, grant: Grant, firstIssuedAt: number): Promise<string> {
  const now = nowSeconds();
  const { refreshTokenIdleSeconds, refreshTokenSeconds } = realm.lifetimes;
  const jti = `${grant.id}-rt_${newId()}`;
  const token = new realm.provider.RefreshToken({
    client: await clientOf(realm.provider, grant.application?.clientId ?? ''),
    jti,
    iat: now,
    iiat: firstIssuedAt,
    exp: Math.min(now + refreshTokenIdleSeconds, firstIssuedAt + refreshTokenSeconds),
    accountId: grant.user.id,
    scope: storedScope(grant.scopes),
    grantId: grant.id,
    gty: 'refresh_token',
    authTime: grant.authTime,
    amr: grant.amr,
    nonce: grant.nonce,
    sid: grant.sid,
  });
  await token.save();
  return realm.seal.sealLasting(`${jti}:${grant.user.id}`);
}
