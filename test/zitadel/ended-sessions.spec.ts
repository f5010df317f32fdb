import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Env } from '../../src/config/env.js';
import { MemoryState } from '../../src/state/memory-state.js';
import { SharedState } from '../../src/state/shared-state.js';
import { EndedSessions } from '../../src/zitadel/ended-sessions.js';

const env = { session: { maxDurationSeconds: 3600 } } as Env;
const start = Date.now() / 1000 - 100;
const alice = { jti: 'a', sid: 'sa', sub: 'alice', start };
const aliceElsewhere = { jti: 'b', sid: 'sb', sub: 'alice', start };
const bob = { jti: 'c', sid: 'sc', sub: 'bob', start };

/** A store in another process: answers later, and remembers what it was asked to keep. */
class RemoteState extends SharedState {
  readonly kept = new Map<string, { value: string; ttlMs: number }>();

  async get(key: string) {
    await Promise.resolve();
    return this.kept.get(key)?.value;
  }
  async set(key: string, value: string, ttlMs: number) {
    await Promise.resolve();
    this.kept.set(key, { value, ttlMs });
  }
  async setIfAbsent(key: string, value: string, ttlMs: number) {
    if (this.kept.has(key)) return false;
    await this.set(key, value, ttlMs);
    return true;
  }
  async raise(key: string, value: number, ttlMs: number) {
    await Promise.resolve();
    if (value > Number(this.kept.get(key)?.value ?? -Infinity)) await this.set(key, String(value), ttlMs);
  }
  async raised(key: string) {
    await Promise.resolve();
    return this.raisedHere(key);
  }
  raisedHere(key: string) {
    const found = this.kept.get(key);
    return found && Number(found.value);
  }
}

describe.each([
  ['in memory', () => new MemoryState()],
  ['in a store', () => new RemoteState()],
] as [string, () => SharedState][])('sessions ended before their time, %s', (_name, make) => {
  const revoked = async (ended: EndedSessions) =>
    Promise.all([alice, aliceElsewhere, bob].map(async (token) => ended.isRevoked(token)));

  it('are none at first', async () => {
    expect(await revoked(new EndedSessions(make(), env))).toEqual([false, false, false]);
  });

  it('are one alone, when it is that one', async () => {
    const ended = new EndedSessions(make(), env);
    await ended.revoke(alice);
    expect(await revoked(ended)).toEqual([true, false, false]);
  });

  it('are those of a session at Zitadel', async () => {
    const ended = new EndedSessions(make(), env);
    await ended.revokeSid('sb');
    expect(await revoked(ended)).toEqual([false, true, false]);
  });

  it('are all of a user that have begun, and none that begins later', async () => {
    const ended = new EndedSessions(make(), env);
    await ended.revokeUser('alice', Date.now() / 1000);
    expect(await revoked(ended)).toEqual([true, true, false]);
    expect(await ended.isRevoked({ ...alice, start: Date.now() / 1000 + 0.001 })).toBe(false);
    expect(await ended.isRevoked({ jti: 'd', sub: 'alice' })).toBe(true);
  });

  it('stay ended when somebody says later that they ended earlier', async () => {
    const ended = new EndedSessions(make(), env);
    await ended.revokeUser('alice', start + 10);
    await ended.revokeUser('alice', start - 10);
    expect(await revoked(ended)).toEqual([true, true, false]);
  });

  it('are told apart by user and start where they have no id', async () => {
    const ended = new EndedSessions(make(), env);
    const old = { sub: 'alice', start };
    await ended.revoke(old);
    expect(await ended.isRevoked(old)).toBe(true);
    expect(await ended.isRevoked({ ...old, start: start + 1 })).toBe(false);
    expect(await ended.isRevoked({ start: start + 1 })).toBe(false);
  });
});

describe('an entry for an ended session', () => {
  it('lives as long as a session can', async () => {
    const state = new RemoteState();
    const ended = new EndedSessions(state, env);
    await ended.revoke(alice);
    await ended.revokeSid('sa');
    await ended.revokeUser('alice', Date.now() / 1000);
    expect([...state.kept.values()].map(({ ttlMs }) => ttlMs)).toEqual([3_600_000, 3_600_000, 3_600_000]);
  });

  it('is looked up without waiting where there is nothing to wait for', async () => {
    const ended = new EndedSessions(new MemoryState(), env);
    expect(ended.isRevoked(alice)).toBe(false);
    await ended.revoke(bob);
    expect(ended.isRevoked(alice)).toBe(false);
    expect(ended.isRevoked(bob)).toBe(true);
  });
});

describe('state in memory', () => {
  it('keeps what it is given for its time, and what is set first', async () => {
    const state = new MemoryState();
    expect(state.setIfAbsent('a', '1', 30)).toBe(true);
    expect(state.setIfAbsent('a', '2', 30)).toBe(false);
    expect(state.get('a')).toBe('1');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(state.get('a')).toBeUndefined();
    expect(state.setIfAbsent('a', '2', 30)).toBe(true);
    state.delete('a');
    expect(state.isEmpty).toBe(true);
  });

  it('is bounded', () => {
    Logger.overrideLogger(false);
    const state = new MemoryState(2);
    for (const key of ['a', 'b', 'c', 'd']) state.set(key, key, 1_000);
    expect(['a', 'b', 'c', 'd'].map((key) => state.get(key))).toEqual([undefined, undefined, 'c', 'd']);
  });
});
