import { describe, expect, it, jest } from '@jest/globals';
import { SharedState } from '../src/state/shared-state.js';
import type { ResolvedZitadelOptions } from '../src/zitadel.options.js';
import { EndedSessions } from '../src/session/ended-sessions.js';

const options = { session: { maxDurationSeconds: 3600, durationSeconds: 600 } } as ResolvedZitadelOptions;
const start = Date.now() / 1000 - 100;
const alice = { jti: 'a', sid: 'sa', sub: 'alice', start };
const aliceElsewhere = { jti: 'b', sid: 'sb', sub: 'alice', start };
const bob = { jti: 'c', sid: 'sc', sub: 'bob', start };

const make = () => new SharedState();

describe('EndedSessions', () => {
  const revoked = (ended: EndedSessions) =>
    [alice, aliceElsewhere, bob].map((token) => ended.isRevoked(token));

  it('contains no session at first', () => {
    expect(revoked(new EndedSessions(make(), options))).toEqual([false, false, false]);
  });

  it('contains one session after revoke()', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revoke(alice);
    expect(revoked(ended)).toEqual([true, false, false]);
  });

  it('contains the sessions of one sid after revokeSid()', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeSid('sb');
    expect(revoked(ended)).toEqual([false, true, false]);
  });

  it('contains the sessions of a user that have begun, and no later ones, after revokeUser()', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeUser('alice', Date.now() / 1000);
    expect(revoked(ended)).toEqual([true, true, false]);
    expect(ended.isRevoked({ ...alice, start: Date.now() / 1000 + 0.001 })).toBe(false);
    expect(ended.isRevoked({ jti: 'd', sub: 'alice' })).toBe(true);
  });

  it('keeps the later of two times after revokeUser()', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeUser('alice', start + 10);
    await ended.revokeUser('alice', start - 10);
    expect(revoked(ended)).toEqual([true, true, false]);
  });

  it.each([
    ['in a second before', 99, 500, true],
    ['in a second after', 101, 50, false],
    ['in the same second, with a session that began before', 100, 100.7, true],
    ['in the same second, with a session that began after', 100, 100.8, false],
    ['at an unknown time, with a session that began before', undefined, 160, true],
    ['at an unknown time, with a session that began a minute after', undefined, 161, false],
  ])(
    'contains, after an event, the sessions of a user who has logged in %s',
    async (_when, authenticatedAt, begun, is) => {
      const claims = Buffer.from(JSON.stringify({ auth_time: authenticatedAt })).toString('base64url');
      const idToken = `e30.${claims}.signature`;
      const ended = new EndedSessions(make(), options);
      await ended.revokeUserByEvent('alice', 100.7);
      await ended.revokeUserByEvent('alice', 20);
      expect(ended.isRevoked({ jti: 'a', sub: 'alice', start: begun, idToken })).toBe(is);
      expect(ended.isRevoked({ jti: 'a', sub: 'bob', start: begun, idToken })).toBe(false);
    },
  );

  it('contains the sessions of one sid after an event or a logout token, of which the second is nothing new', async () => {
    for (const order of [
      ['revokeSidByEvent', 'revokeSid'],
      ['revokeSid', 'revokeSidByEvent'],
    ] as const) {
      const ended = new EndedSessions(make(), options);
      expect([await ended[order[0]]('sb'), await ended[order[1]]('sb')]).toEqual([true, false]);
      expect(revoked(ended)).toEqual([false, true, false]);
    }
  });

  it('identifies sessions without a jti by user and start', async () => {
    const ended = new EndedSessions(make(), options);
    const old = { sub: 'alice', start };
    await ended.revoke(old);
    expect(ended.isRevoked(old)).toBe(true);
    expect(ended.isRevoked({ ...old, start: start + 1 })).toBe(false);
    expect(ended.isRevoked({ start: start + 1 })).toBe(false);
  });
});

it('EndedSessions keeps an entry for session.maxDurationSeconds, that of an event for the life of a cookie, and revoke() returns true only once', async () => {
  const state = new SharedState();
  const added = jest.spyOn(state, 'add');
  const ended = new EndedSessions(state, options);
  expect([await ended.revoke(alice), await ended.revoke(alice)]).toEqual([true, false]);
  await ended.revokeSid('sa');
  await ended.revokeUser('alice', Date.now() / 1000);
  const lifetimes = () => new Set(added.mock.calls.splice(0).map(([, , ttlMs]) => ttlMs));
  expect(lifetimes()).toEqual(new Set([3_600_000]));
  await ended.revokeSidByEvent('sa');
  await ended.revokeUserByEvent('alice', 100);
  expect(lifetimes()).toEqual(new Set([660_000]));
});
