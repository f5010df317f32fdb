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

describe('sessions ended before their time', () => {
  const revoked = (ended: EndedSessions) =>
    [alice, aliceElsewhere, bob].map((token) => ended.isRevoked(token));

  it('are none at first', () => {
    expect(revoked(new EndedSessions(make(), options))).toEqual([false, false, false]);
  });

  it('are one alone, when it is that one', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revoke(alice);
    expect(revoked(ended)).toEqual([true, false, false]);
  });

  it('are those of a session at Zitadel', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeSid('sb');
    expect(revoked(ended)).toEqual([false, true, false]);
  });

  it('are all of a user that have begun, and none that begins later', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeUser('alice', Date.now() / 1000);
    expect(revoked(ended)).toEqual([true, true, false]);
    expect(ended.isRevoked({ ...alice, start: Date.now() / 1000 + 0.001 })).toBe(false);
    expect(ended.isRevoked({ jti: 'd', sub: 'alice' })).toBe(true);
  });

  it('stay ended when somebody says later that they ended earlier', async () => {
    const ended = new EndedSessions(make(), options);
    await ended.revokeUser('alice', start + 10);
    await ended.revokeUser('alice', start - 10);
    expect(revoked(ended)).toEqual([true, true, false]);
  });

  it('are told apart by user and start where they have no id', async () => {
    const ended = new EndedSessions(make(), options);
    const old = { sub: 'alice', start };
    await ended.revoke(old);
    expect(ended.isRevoked(old)).toBe(true);
    expect(ended.isRevoked({ ...old, start: start + 1 })).toBe(false);
    expect(ended.isRevoked({ start: start + 1 })).toBe(false);
  });
});

it('is remembered for as long as a session can live, and said to be news once', async () => {
  const state = new SharedState();
  const added = jest.spyOn(state, 'add');
  const ended = new EndedSessions(state, options);
  expect([await ended.revoke(alice), await ended.revoke(alice)]).toEqual([true, false]);
  await ended.revokeSid('sa');
  await ended.revokeUser('alice', Date.now() / 1000);
  expect(new Set(added.mock.calls.map(([, , ttlMs]) => ttlMs))).toEqual(new Set([3_600_000]));
});
