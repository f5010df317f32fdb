import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionEnded } from '@mridang/nestjs-auth';
import type { OidcClient } from '../src/client/oidc.client.js';
import {
  AccessTokenRejected,
  IdpUnavailable,
  RefreshInDoubt,
  RefreshNotAllowed,
  RefreshRejected,
} from '../src/client/oidc.errors.js';
import { SharedState } from '../src/state/shared-state.js';
import type { ResolvedZitadelOptions } from '../src/zitadel.options.js';
import { TokenRefresher } from '../src/session/token-refresher.js';

const options = {
  session: { durationSeconds: 3600 },
  timeoutSeconds: 5,
  observer: {},
} as ResolvedZitadelOptions;
const made: TokenRefresher[] = [];
afterEach(() => {
  for (const refresher of made.splice(0)) refresher.onApplicationShutdown();
});

function refresherOf(oidc: OidcClient, state = new SharedState()): TokenRefresher {
  const refresher = new TokenRefresher(oidc, state, options);
  made.push(refresher);
  return refresher;
}

/** A provider that does not rotate refresh tokens. */
function withoutRotation() {
  let calls = 0;
  const oidc = {
    refresh: async () => {
      const accessToken = `at-${++calls}`;
      await Promise.resolve();
      return { accessToken };
    },
  } as unknown as OidcClient;
  return { refresher: refresherOf(oidc), calls: () => calls };
}

/** The error of Zitadel for a used refresh token. */
const unknownToken = () =>
  new RefreshRejected({
    cause: { error: 'invalid_request', error_description: 'Errors.OIDCSession.RefreshTokenInvalid' },
  });

const session = { sub: 'alice', refreshToken: 'rt', accessToken: 'at-0' };

it('newest() returns the latest tokens of a session and waits for a refresh in flight', async () => {
  let calls = 0;
  const oidc = {
    refresh: () => Promise.resolve({ accessToken: `at-${++calls}`, refreshToken: `rt-${calls}` }),
  } as unknown as OidcClient;
  const refresher = refresherOf(oidc);
  expect((await refresher.newest(session)).refreshToken).toBe('rt');
  void refresher.refresh(session);
  expect((await refresher.newest(session)).refreshToken).toBe('rt-1');
  await refresher.refresh(await refresher.refresh(session));
  expect((await refresher.newest(session)).refreshToken).toBe('rt-2');
});

it('newest() returns the refused refresh token when there is no newer one', async () => {
  const oidc = { refresh: () => Promise.reject(new RefreshRejected()) } as unknown as OidcClient;
  const refresher = refresherOf(oidc);
  await expect(refresher.refresh(session)).rejects.toThrow(SessionEnded);
  expect((await refresher.newest(session)).refreshToken).toBe('rt');
});

it('a session goes on until its access token ends when the client may not refresh', async () => {
  const oidc = {
    refresh: () => Promise.reject(new RefreshNotAllowed('unauthorized_client')),
  } as unknown as OidcClient;
  const now = Date.now() / 1000;
  for (const times of [{ accessTokenEndsAt: now + 60 }, { accessTokenDueAt: now + 60 }]) {
    const refresher = refresherOf(oidc);
    expect(await refresher.refresh({ ...session, ...times })).toMatchObject(times);
    expect(await refresher.refresh({ ...session, refreshToken: 'another', ...times })).toMatchObject(times);
    expect(refresher.clientRefusal).toBe('unauthorized_client');
  }
  const over = { ...session, refreshToken: 'a third', accessTokenDueAt: now - 60 };
  await expect(refresherOf(oidc).refresh(over)).rejects.toThrow(SessionEnded);
});

describe('two instances with shared state', () => {
  /** Two instances, and the number of refresh requests. */
  function two(refresh: () => Promise<unknown>) {
    let calls = 0;
    const oidc = {
      refresh: () => {
        calls++;
        return refresh();
      },
    } as unknown as OidcClient;
    const state = new SharedState();
    return { one: refresherOf(oidc, state), other: refresherOf(oidc, state), calls: () => calls };
  }
  const soon = <T>(value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), 60));

  it('send one refresh request for four concurrent and one late caller', async () => {
    const { one, other, calls } = two(() => soon({ accessToken: 'at-1', refreshToken: 'rt-1' }));
    const answers = await Promise.all([one, other, other, one].map((instance) => instance.refresh(session)));
    expect(new Set(answers.map(({ accessToken }) => accessToken))).toEqual(new Set(['at-1']));
    expect((await other.refresh(session)).accessToken).toBe('at-1');
    expect(calls()).toBe(1);
  });

  it('know the refreshed tokens of each other', async () => {
    const { one, other } = two(() => soon({ accessToken: 'at-1', refreshToken: 'rt-1' }));
    await one.refresh(session);
    expect((await other.newest(session)).refreshToken).toBe('rt-1');
  });

  it('share a refusal, which ends the session, and an outage, which does not', async () => {
    const refused = two(() => soon(undefined).then(() => Promise.reject(new RefreshRejected())));
    await expect(Promise.all([refused.one.refresh(session)])).rejects.toThrow(SessionEnded);
    await expect(refused.other.refresh(session)).rejects.toThrow(SessionEnded);
    expect(refused.calls()).toBe(1);

    const away = two(() => soon(undefined).then(() => Promise.reject(new IdpUnavailable())));
    await expect(away.one.refresh(session)).rejects.toThrow(IdpUnavailable);
    await expect(away.other.refresh(session)).rejects.toThrow(IdpUnavailable);
    expect(away.calls()).toBe(1);
  });

  it('report RefreshInDoubt for a refresh that never finishes, after one wait', async () => {
    const { one, other } = two(() => new Promise(() => undefined));
    void one.refresh(session);
    await expect(other.refresh(session)).rejects.toThrow(RefreshInDoubt);
    const before = performance.now();
    await expect(other.refresh(session)).rejects.toThrow(RefreshInDoubt);
    expect(performance.now() - before).toBeLessThan(1_000);
  }, 20_000);
});

describe('instances that have shared their state for less than a minute', () => {
  class StateApart extends SharedState {
    constructor(private readonly ms: number) {
      super();
    }
    override get sharedForMs() {
      return this.ms;
    }
  }
  const refusedAt = (sharedForMs: number, refusal = unknownToken()) => {
    const oidc = { refresh: () => Promise.reject(refusal) } as unknown as OidcClient;
    return refresherOf(oidc, new StateApart(sharedForMs)).refresh(session);
  };

  it('use the tokens of the other instance when their own refresh is refused', async () => {
    class StateInDoubt extends StateApart {
      /** always granted, as without Redis */
      override acquireLease() {
        return Promise.resolve(true);
      }
    }
    const state = new StateInDoubt(1);
    const renewed = { accessToken: 'at-1', refreshToken: 'rt-1' };
    const soon = () => new Promise((resolve) => setTimeout(() => resolve(renewed), 30));
    const userinfo = () => Promise.resolve({});
    const one = refresherOf({ refresh: soon } as unknown as OidcClient, state);
    const refresh = () => Promise.reject(unknownToken());
    const other = refresherOf({ refresh, userinfo } as unknown as OidcClient, state);
    const answers = await Promise.all([one.refresh(session), other.refresh(session)]);
    expect(answers.map(({ accessToken }) => accessToken)).toEqual(['at-1', 'at-1']);
  });

  it('refresh with the accepted one of two token sets when both are due', async () => {
    const state = new StateApart(61_000);
    const dead = { ...session, accessToken: 'at-dead', refreshToken: 'rt-dead', accessTokenRenewedAt: 20 };
    const living = { accessToken: 'at-living', refreshToken: 'rt-living', accessTokenRenewedAt: 19 };
    for (const pair of [dead, living])
      await state.add(
        'tokens:alice@undefined',
        JSON.stringify({ ...pair, accessTokenEndsAt: 30, from: 'the same' }),
        60_000,
        pair.accessTokenRenewedAt,
      );
    const refresh = (refreshToken: string) =>
      refreshToken === 'rt-living'
        ? Promise.resolve({ accessToken: 'at-next', refreshToken: 'rt-next' })
        : Promise.reject(unknownToken());
    const refresher = refresherOf({ refresh } as unknown as OidcClient, state);
    expect((await refresher.refresh(dead)).refreshToken).toBe('rt-next');
    expect((await refresher.newest(dead)).refreshToken).toBe('rt-next');
  });

  it('prefer the token set whose access token Zitadel accepts', async () => {
    const state = new StateApart(61_000);
    const [dead, living] = [
      { ...session, accessToken: 'at-dead', refreshToken: 'rt-dead', accessTokenRenewedAt: 20 },
      { ...session, accessToken: 'at-living', refreshToken: 'rt-living', accessTokenRenewedAt: 19 },
    ];
    for (const pair of [dead, living])
      await state.add(
        'tokens:alice@undefined',
        JSON.stringify({ ...pair, from: 'the same' }),
        60_000,
        pair.accessTokenRenewedAt,
      );
    const refresher = refresherOf({} as OidcClient, state);
    expect((await refresher.newest(living)).refreshToken).toBe('rt-dead');
    await refresher.reportAccepted(living);
    expect((await refresher.newest(dead)).refreshToken).toBe('rt-living');
  });

  it('do not end a session for an unknown refresh token, which another instance may have used', async () => {
    await expect(refusedAt(0)).rejects.toThrow(IdpUnavailable);
    await expect(refusedAt(59_000)).rejects.toThrow(IdpUnavailable);
    await expect(refusedAt(60_000)).rejects.toThrow(SessionEnded);
    // This error cannot come from the use of the token by another instance.
    await expect(refusedAt(0, new RefreshRejected())).rejects.toThrow(SessionEnded);
  });
});

describe('two token sets of one refresh token', () => {
  /** Two token sets: the one with the later time is invalid; `accessTokenEndsAt` is in seconds since 1970. */
  async function rivals(oidc: Partial<OidcClient>, accessTokenEndsAt: number) {
    const state = new SharedState();
    const set = (name: string, accessTokenRenewedAt: number) => ({
      ...session,
      accessToken: `at-${name}`,
      refreshToken: `rt-${name}`,
      accessTokenRenewedAt,
      accessTokenEndsAt,
    });
    const [dead, living] = [set('dead', 20), set('living', 19)];
    for (const one of [dead, living])
      await state.add(
        'tokens:alice@undefined',
        JSON.stringify({ ...one, from: 'the same' }),
        60_000,
        one.accessTokenRenewedAt,
      );
    return { dead, living, refresher: refresherOf(oidc as OidcClient, state) };
  }
  const farAway = Date.now() / 1000 + 1_000;
  const userinfo = (accessToken: string) =>
    accessToken === 'at-living'
      ? Promise.resolve({ sub: 'alice' })
      : Promise.reject(new AccessTokenRejected());

  it('are compared by userinfo when one access token is refused', async () => {
    const { dead, living, refresher } = await rivals({ userinfo }, farAway);
    expect((await refresher.replaceRejected(dead)).accessToken).toBe(living.accessToken);
    expect(refresher.isSuperseded(dead)).toBe(true);
  });

  it('are both superseded when Zitadel refuses both access tokens', async () => {
    const refuse = () => Promise.reject(new AccessTokenRejected());
    const { dead, refresher } = await rivals({ userinfo: refuse }, farAway);
    expect(await refresher.replaceRejected(dead)).toBe(dead);
    expect(refresher.isSuperseded(dead)).toBe(true);
    await refresher.reportAccepted(dead);
    expect(refresher.isSuperseded(dead)).toBe(false);
  });

  it('do not end the session while Zitadel is unreachable', async () => {
    const silent = () => Promise.reject(new IdpUnavailable());
    const { dead, refresher } = await rivals({ userinfo: silent }, farAway);
    await expect(refresher.replaceRejected(dead)).rejects.toThrow(IdpUnavailable);
    const refresh = (refreshToken: string) =>
      Promise.reject(refreshToken === 'rt-dead' ? unknownToken() : new IdpUnavailable());
    const due = await rivals({ refresh }, 30);
    await expect(due.refresher.refresh(due.dead)).rejects.toThrow(IdpUnavailable);
  });

  it('end the session when Zitadel refuses both refresh tokens', async () => {
    const refresh = () => Promise.reject(unknownToken());
    const { dead, refresher } = await rivals({ refresh }, 30);
    await expect(refresher.refresh(dead)).rejects.toThrow(SessionEnded);
  });
});

describe('an instance without Redis', () => {
  class StateAlone extends SharedState {
    override get sharedForMs() {
      return 0;
    }
  }
  const refresh = () => Promise.resolve({ accessToken: 'at-1', refreshToken: 'rt-1' });

  it.each([
    ['returned when userinfo accepts them', () => Promise.resolve({ sub: 'alice' }), 'rt-1'],
    ['returned when userinfo is unreachable', () => Promise.reject(new IdpUnavailable()), 'rt-1'],
    ['withheld when userinfo refuses them', () => Promise.reject(new AccessTokenRejected()), undefined],
  ])('checks refreshed tokens with userinfo: they are %s', async (_name, userinfo, renewed) => {
    const refresher = refresherOf({ refresh, userinfo } as unknown as OidcClient, new StateAlone());
    const answer = refresher.refresh(session);
    if (renewed === undefined) await expect(answer).rejects.toThrow(RefreshInDoubt);
    else expect((await answer).refreshToken).toBe(renewed);
    expect(refresher.isSuperseded(session)).toBe(true);
  });

  it('repeats the failure of another caller with the same tokens', async () => {
    const state = new SharedState();
    for (const refusal of [new RefreshRejected(), unknownToken()]) {
      const own = { ...session, refreshToken: refusal.message + String(refusal.cause !== undefined) };
      const oidc = { refresh: () => Promise.reject(refusal) } as unknown as OidcClient;
      await expect(refresherOf(oidc, state).refresh(own)).rejects.toThrow(SessionEnded);
      await expect(refresherOf(oidc, state).refresh(own)).rejects.toMatchObject({
        reason: 'refresh_rejected',
        cause: { cause: { message: expect.stringContaining(' failed: ') } },
      });
    }
  });
});

describe('without rotation of refresh tokens,', () => {
  it('late callers get the known tokens, and callers with those tokens share one further refresh', async () => {
    const { refresher, calls } = withoutRotation();
    const renewed = await refresher.refresh(session);
    expect(renewed).toMatchObject({ ...session, accessToken: 'at-1' });
    expect(await refresher.refresh(session)).toEqual(renewed);
    const again = await Promise.all([1, 2, 3].map(() => refresher.refresh(renewed)));
    expect(again.map(({ accessToken }) => accessToken)).toEqual(['at-2', 'at-2', 'at-2']);
    expect(calls()).toBe(2);
  });
});
