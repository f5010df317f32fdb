import type { Instance } from '../instance/instance.js';
import type { AccessToken, RefreshToken } from '../storage/provider.js';

const jwtParts = 3;

/** Finds a valid access token: opaque, JWT or personal access token. */
export async function findAccessToken(
  instance: Instance,
  presented: string,
): Promise<AccessToken | undefined> {
  const id = await tokenId(instance, presented);
  const token = id === undefined ? undefined : await instance.provider.AccessToken.find(id);
  const user = instance.directory.byId(token?.accountId);
  return user?.active ? token : undefined;
}

/** Finds a valid refresh token. */
export async function findRefreshToken(
  instance: Instance,
  presented: string,
): Promise<RefreshToken | undefined> {
  const id = await tokenId(instance, presented);
  return id === undefined ? undefined : instance.provider.RefreshToken.find(id);
}

async function tokenId(instance: Instance, presented: string): Promise<string | undefined> {
  if (presented.split('.').length === jwtParts) {
    const claims = await instance.keys.verifiedClaims(presented);
    return typeof claims?.['jti'] === 'string' ? claims['jti'] : undefined;
  }
  const sealed = await instance.encryption.decrypt(presented);
  return sealed?.split(':')[0];
}
