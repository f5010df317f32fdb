import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { introspect, isActive, RelyingParty, tokensFrom } from './support/relying-party.js';

const tokenPath = '/oauth/v2/token';
const userinfoPath = '/oidc/v1/userinfo';
const introspectPath = '/oauth/v2/introspect';

let sandbox: Sandbox;
let client: RelyingParty;
beforeAll(async () => {
  sandbox = await startSandbox();
  client = new RelyingParty(sandbox);
});
afterAll(() => sandbox.close());
beforeEach(() => {
  for (const path of [tokenPath, userinfoPath, introspectPath]) {
    sandbox.fail(path, null);
    sandbox.drop(path, 0);
  }
  sandbox.refuseTokens(userinfoPath, 0);
  sandbox.refuseTokens(introspectPath, 0);
  sandbox.setRefreshReuse(0);
});

/** Which access tokens are active at introspection, and the status of each refresh. */
async function working(answers: Answer[]): Promise<{ access: unknown[]; refresh: number[] }> {
  const pairs = answers.map(tokensFrom);
  const access: unknown[] = [];
  const refresh: number[] = [];
  for (const { access_token } of pairs) access.push(await isActive(sandbox, access_token));
  for (const { refresh_token } of pairs) refresh.push((await client.refresh(refresh_token)).status);
  return { access, refresh };
}

describe('When a refresh token is used twice,', () => {
  it('all overlapping uses succeed, and only the last token pair is valid', async () => {
    let answers: Answer[] = [];
    const good = (): Answer[] => answers.filter(({ status }) => status === 200);
    // The requests of one client do not always overlap.
    for (let tries = 0; good().length < 2 && tries < 20; tries++) {
      const { refresh_token } = await client.signIn();
      answers = await Promise.all([1, 2, 3, 4].map(() => client.refresh(refresh_token)));
    }
    expect(good().length).toBeGreaterThan(1);
    const { access, refresh } = await working(good());
    expect(access.filter(Boolean)).toHaveLength(1);
    expect(refresh.filter((status) => status === 200)).toHaveLength(1);
    for (const { json } of answers.filter(({ status }) => status !== 200)) {
      expect(json['error_description']).toBe('Errors.OIDCSession.RefreshTokenInvalid');
    }
  });

  it('the second use within refreshReuseMs succeeds, and only the last token pair is valid', async () => {
    sandbox.setRefreshReuse(60_000);
    const { refresh_token } = await client.signIn();
    const first = await client.refresh(refresh_token);
    const second = await client.refresh(refresh_token);
    sandbox.setRefreshReuse(0);
    expect(await working([first, second])).toEqual({ access: [false, true], refresh: [400, 200] });
  });

  it('the second use after refreshReuseMs is refused, and the newest token pair stays valid', async () => {
    sandbox.setRefreshReuse(5);
    const { refresh_token } = await client.signIn();
    const first = await client.refresh(refresh_token);
    await pause(30);
    expect((await client.refresh(refresh_token)).json).toEqual({
      error: 'invalid_request',
      error_description: 'Errors.OIDCSession.RefreshTokenInvalid',
    });
    sandbox.setRefreshReuse(0);
    expect(await working([first])).toEqual({ access: [true], refresh: [200] });
  });

  it('only one of two overlapping uses succeeds with refreshReuseMs null', async () => {
    sandbox.setRefreshReuse(null);
    const { refresh_token } = await client.signIn();
    const answers = await Promise.all([client.refresh(refresh_token), client.refresh(refresh_token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  });
});

describe('drop()', () => {
  it('makes the token endpoint rotate the refresh token and close the connection without a response', async () => {
    const { access_token, refresh_token } = await client.signIn();
    sandbox.drop(tokenPath, 1);
    await expect(client.refresh(refresh_token)).rejects.toThrow('fetch failed');
    expect(await isActive(sandbox, access_token)).toBe(false);
    expect((await client.refresh(refresh_token)).json['error_description']).toBe(
      'Errors.OIDCSession.RefreshTokenInvalid',
    );
  });

  it('ends after the given number of dropped responses', async () => {
    const { access_token } = await client.signIn();
    sandbox.drop(userinfoPath, 2);
    await expect(client.userinfo(access_token)).rejects.toThrow();
    await expect(client.userinfo(access_token)).rejects.toThrow();
    expect((await client.userinfo(access_token)).status).toBe(200);
  });
});

describe('refuseTokens()', () => {
  it('makes userinfo return 401 the given number of times, and the token stays valid', async () => {
    const { access_token } = await client.signIn();
    sandbox.refuseTokens(userinfoPath, 2);
    const statuses: number[] = [];
    for (let call = 0; call < 3; call++) statuses.push((await client.userinfo(access_token)).status);
    expect(statuses).toEqual([401, 401, 200]);
    expect(await isActive(sandbox, access_token)).toBe(true);
  });

  it('makes introspection return inactive until the fault is reset', async () => {
    const { access_token } = await client.signIn();
    sandbox.refuseTokens(introspectPath);
    const answer = await introspect(sandbox, access_token);
    expect([answer.status, answer.json]).toEqual([200, { active: false }]);
    expect(await isActive(sandbox, access_token)).toBe(false);
    sandbox.refuseTokens(introspectPath, 0);
    expect(await isActive(sandbox, access_token)).toBe(true);
  });
});

it('fail() makes an endpoint fail the given number of times', async () => {
  const { refresh_token } = await client.signIn();
  sandbox.fail(tokenPath, 503, 1);
  expect((await client.refresh(refresh_token)).status).toBe(503);
  expect((await client.refresh(refresh_token)).status).toBe(200);
});

describe('setLifetimes()', () => {
  it('applies to tokens that are issued later', async () => {
    const other = await startSandbox();
    const party = new RelyingParty(other);
    other.setLifetimes({ accessTokenSeconds: 20, idTokenSeconds: 30 });
    const { expires_in, claims } = await party.signIn();
    other.setLifetimes({ accessTokenSeconds: 100 });
    const second = await party.signIn();
    await other.close();
    expect([expires_in, Number(claims.exp) - Number(claims.iat)]).toEqual([19, 30]);
    expect([second.expires_in, Number(second.claims.exp) - Number(second.claims.iat)]).toEqual([99, 30]);
  });

  it.each([
    ['idle', { refreshTokenIdleSeconds: 1 }],
    ['absolute', { refreshTokenSeconds: 1 }],
  ])(
    'makes a refresh token expire after its %s lifetime with RefreshTokenInvalid',
    async (_name, lifetimes) => {
      const other = await startSandbox();
      other.setLifetimes(lifetimes);
      const party = new RelyingParty(other);
      const { refresh_token } = await party.signIn();
      await pause(2_100);
      const { status, json } = await party.refresh(refresh_token);
      await other.close();
      expect([status, json['error_description']]).toEqual([400, 'Errors.OIDCSession.RefreshTokenInvalid']);
    },
  );
});

describe('The end of a session', () => {
  it('revokes access tokens but not the refresh token, and a refresh issues active tokens for the ended session', async () => {
    const party = new RelyingParty(sandbox);
    const { access_token, refresh_token, id_token } = await party.signIn();
    await party.endSession({ id_token_hint: id_token });
    expect(await isActive(sandbox, access_token)).toBe(false);
    const fresh = tokensFrom(await party.refresh(refresh_token));
    expect(await isActive(sandbox, fresh.access_token)).toBe(true);
    const again = await party.endSession({ id_token_hint: fresh.id_token });
    expect([again.status, await isActive(sandbox, fresh.access_token)]).toEqual([302, true]);
  });
});
