import { describe, expect, it } from '@jest/globals';
import { SessionEnded } from '@mridang/nestjs-auth';
import type { OidcClient } from '../../src/zitadel/oidc.client.js';
import { RefreshRejected } from '../../src/zitadel/oidc.errors.js';
import { TokenRefresher } from '../../src/zitadel/token-refresher.js';

/** A provider that keeps the refresh token as it is. */
function withoutRotation() {
  let calls = 0;
  const oidc = {
    refresh: async () => {
      const accessToken = `at-${++calls}`;
      await Promise.resolve();
      return { accessToken };
    },
  } as unknown as OidcClient;
  return { refresher: new TokenRefresher(oidc), calls: () => calls };
}

const session = { sub: 'alice', refreshToken: 'rt', accessToken: 'at-0' };

it('knows what a refresh token has become, and waits for what it is about to become', async () => {
  let calls = 0;
  const oidc = {
    refresh: () => Promise.resolve({ accessToken: 'at', refreshToken: `rt-${++calls}` }),
  } as unknown as OidcClient;
  const refresher = new TokenRefresher(oidc);
  expect(await refresher.newest('rt')).toBe('rt');
  void refresher.refresh(session);
  expect(await refresher.newest('rt')).toBe('rt-1');
  await refresher.refresh({ ...session, refreshToken: 'rt-1' });
  expect(await refresher.newest('rt')).toBe('rt-2');
});

it('takes a refresh token that was refused for the newest there is', async () => {
  const oidc = { refresh: () => Promise.reject(new RefreshRejected()) } as unknown as OidcClient;
  const refresher = new TokenRefresher(oidc);
  await expect(refresher.refresh(session)).rejects.toThrow(SessionEnded);
  expect(await refresher.newest('rt')).toBe('rt');
});

describe('where refresh tokens are not rotated', () => {
  it('late requests get the answer that is known, and those that carry it get another, once for all', async () => {
    const { refresher, calls } = withoutRotation();
    const renewed = await refresher.refresh(session);
    expect(renewed).toEqual({ ...session, accessToken: 'at-1' });
    expect(await refresher.refresh(session)).toEqual(renewed);
    const again = await Promise.all([1, 2, 3].map(() => refresher.refresh(renewed)));
    expect(again.map(({ accessToken }) => accessToken)).toEqual(['at-2', 'at-2', 'at-2']);
    expect(calls()).toBe(2);
  });
});
