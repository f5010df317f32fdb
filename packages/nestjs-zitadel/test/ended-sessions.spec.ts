import { describe, expect, it, jest } from '@jest/globals';
import { SharedState } from '../src/state/shared-state.js';
import type { ResolvedZitadelOptions } from '../src/zitadel.options.js';
import { EndedSessions } from '../src/session/ended-sessions.js';

const options = { session: { maxDurationSeconds: 3600 } } as ResolvedZitadelOptions;
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

  it('identifies sessions without a jti by user and start', async () => {
    const ended = new EndedSessions(make(), options);
    const old = { sub: 'alice', start };
    await ended.revoke(old);
    expect(ended.isRevoked(old)).toBe(true);
    expect(ended.isRevoked({ ...old, start: start + 1 })).toBe(false);
    expect(ended.isRevoked({ start: start + 1 })).toBe(false);
  });
});

it('EndedSessions keeps an entry for session.maxDurationSeconds, and revoke() returns true only once', async () => {
  const state = new SharedState();
  const added = jest.spyOn(state, 'add');
  const ended = new EndedSessions(state, options);
  expect([await ended.revoke(alice), await ended.revoke(alice)]).toEqual([true, false]);
  await ended.revokeSid('sa');
  await ended.revokeUser('alice', Date.now() / 1000);
  expect(new Set(added.mock.calls.map(([, , ttlMs]) => ttlMs))).toEqual(new Set([3_600_000]));
});
