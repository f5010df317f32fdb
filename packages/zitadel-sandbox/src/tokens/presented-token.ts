import type { Instance } from '../instance/instance.js';
import type { AccessToken, RefreshToken } from '../storage/provider.js';

const jwtParts = 3;

/** The living access token behind a presented value: opaque, JWT or personal access token. */
export async function findAccessToken(
  instance: Instance,
  presented: string,
): Promise<AccessToken | undefined> {
  const id = await tokenId(instance, presented);
  const token = id === undefined ? undefined : await instance.provider.AccessToken.find(id);
  const user = instance.directory.byId(token?.accountId);
  return user?.active ? token : undefined;
}

/** The living refresh token behind a presented value. */
export async function findRefreshToken(
  instance: Instance,
  presented: string,
): Promise<RefreshToken | undefined> {
  const id = await tokenId(instance, presented);
  return id === undefined ? undefined : instance.provider.RefreshToken.find(id);
}

async function tokenId(instance: Instance, presented: string): Promise<string | undefined> {
  if (presented.split('.').length === jwtParts) {
    const claims = await instance.keys.claimsOf(presented);
    return typeof claims?.['jti'] === 'string' ? claims['jti'] : undefined;
  }
  const sealed = await instance.encryption.decrypt(presented);
  return sealed?.split(':')[0];
}
