import type { AccessToken, RefreshToken } from './provider.js';
import type { Realm } from './realm.js';

const jwtParts = 3;

/** The living access token behind a presented value: opaque, JWT or personal access token. */
export async function findAccessToken(realm: Realm, presented: string): Promise<AccessToken | undefined> {
  const id = await tokenId(realm, presented);
  const token = id === undefined ? undefined : await realm.provider.AccessToken.find(id);
  const user = realm.directory.byId(token?.accountId);
  return user?.active ? token : undefined;
}

/** The living refresh token behind a presented value. */
export async function findRefreshToken(realm: Realm, presented: string): Promise<RefreshToken | undefined> {
  const id = await tokenId(realm, presented);
  return id === undefined ? undefined : realm.provider.RefreshToken.find(id);
}

async function tokenId(realm: Realm, presented: string): Promise<string | undefined> {
  if (presented.split('.').length === jwtParts) {
    const claims = await realm.keys.claimsOf(presented);
    return typeof claims?.['jti'] === 'string' ? claims['jti'] : undefined;
  }
  const sealed = await realm.seal.open(presented);
  return sealed?.split(':')[0];
}
