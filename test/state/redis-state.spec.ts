import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RedisState } from '../../src/state/redis-state.js';
import { StateCipher } from '../../src/state/state-cipher.js';
import { startRedis, type RunningRedis } from '../support/redis.js';

const TTL_MS = 60_000;
const SECRET = 'a secret of the test';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let redis: RunningRedis;
let admin: Redis;
let instances: RedisState[];
let said: string[];

beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url, { retryStrategy: () => 50 });
  admin.on('error', () => undefined);
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
  Logger.overrideLogger(false);
});
beforeEach(async () => {
  await redis.start();
  instances = [];
  said = [];
  const note = (message: unknown) => void said.push(String(message).split('\n', 1)[0] ?? '');
  Logger.overrideLogger({ log: note, error: note, warn: note });
});
afterEach(async () => {
  redis.thaw();
  await redis.start();
  await Promise.all(instances.map((instance) => instance.onApplicationShutdown()));
  await admin.config('SET', 'maxmemory', '0');
  await admin.flushall();
});

async function instance(secrets = [SECRET]) {
  const state = new RedisState(redis.url, new StateCipher(secrets, 'salt'));
  instances.push(state);
  await state.onModuleInit();
  return state;
}

/** Waits until an instance has found out how things are. */
async function until(state: RedisState, isShared: boolean) {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await state.check()) === isShared) return;
    await pause(25);
  }
  throw new Error(`It was never ${isShared ? 'shared' : 'apart'}`);
}

/** Full: reads are answered, and nothing more is taken. */
const fill = () => admin.config('SET', 'maxmemory', '1');

describe('instances with one Redis', () => {
  it('see what others set, and one of those who race wins', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.set('a', 'value', TTL_MS);
    expect(await other.get('a')).toBe('value');
    const won = await Promise.all(
      [one, other, one, other].map((state) => state.setIfAbsent('b', '1', TTL_MS)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  it('raise a number together, and never lower it', async () => {
    const [one, other] = [await instance(), await instance()];
    await Promise.all(
      [3, 9, 5, 7].map((value, index) => (index % 2 ? one : other).raise('n', value, TTL_MS)),
    );
    await one.raise('n', 4, TTL_MS);
    expect(await Promise.all([one.raised('n'), other.raised('n')])).toEqual([9, 9]);
  });

  it('read what was written with an older secret, and start anew where none fits', async () => {
    const before = await instance();
    await before.raise('n', 1, TTL_MS);
    await before.set('a', 'value', TTL_MS);
    const rotated = await instance(['another secret of the test', SECRET]);
    expect([await rotated.raised('n'), await rotated.get('a')]).toEqual([1, 'value']);
    const foreign = await instance(['somebody else’s secret']);
    expect([await foreign.raised('n'), await foreign.get('a')]).toEqual([undefined, undefined]);
    await foreign.raise('n', 2, TTL_MS);
    expect(await foreign.raised('n')).toBe(2);
  });

  it('take no value for that of another key', async () => {
    const state = await instance();
    await state.raise('ended:session:mallory', 1, TTL_MS);
    const [found] = await redis.content();
    const name = `nestjs-zitadel:${new StateCipher([SECRET], 'salt').nameOf('ended:session:alice')}`;
    await admin.set(name, found?.value ?? '');
    expect(await state.raised('ended:session:alice')).toBeUndefined();
  });

  it('leave no name and no value to whoever reads Redis', async () => {
    const state = await instance();
    await state.raise('ended:user:218374', 1, TTL_MS);
    await state.set('refresh:218374', 'value', TTL_MS);
    const content = JSON.stringify(await redis.content());
    expect(content).not.toMatch(/218374|ended|refresh|value"?:"value/);
  });
});

describe.each([
  ['stopped', () => redis.stop(), () => redis.start()],
  [
    'frozen',
    () => {
      redis.freeze();
      return Promise.resolve();
    },
    () => {
      redis.thaw();
      return Promise.resolve();
    },
  ],
])('a Redis that is %s', (_name, goes, comes) => {
  it('is noticed by who has asked nothing, said once, and said again when it is back', async () => {
    const state = await instance();
    await goes();
    await until(state, false);
    await pause(2_500);
    for (let count = 0; count < 5; count++) expect(await state.raised('n')).toBeUndefined();
    expect(await state.check()).toBe(false);
    expect(said).toEqual(['Redis does not answer: this instance goes on with what it knows']);
    const goneUntil = performance.now();
    await comes();
    await until(state, true);
    expect(said).toEqual([expect.stringContaining('does not answer'), 'Redis is back']);
    expect(state.sharedForMs).toBeLessThan(performance.now() - goneUntil);
  }, 20_000);

  it('costs nobody a wait once that is known', async () => {
    const state = await instance();
    await goes();
    await until(state, false);
    const send = jest.spyOn(Redis.prototype, 'sendCommand');
    await Promise.all([state.raised('n'), state.get('a'), state.raise('m', 1, TTL_MS)]);
    expect(send.mock.calls.filter(([{ name }]) => name !== 'ping')).toEqual([]);
    send.mockRestore();
    await comes();
  });

  it('is told what was raised meanwhile, and what it may have lost', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.raise('before', 1, TTL_MS);
    expect(await other.raised('before')).toBe(1);
    await goes();
    await Promise.all([until(one, false), until(other, false)]);
    await one.raise('meanwhile', 1, TTL_MS);
    expect([await one.raised('before'), await other.raised('before')]).toEqual([1, 1]);
    // Of what one raised, the other only heard; it has to be enough.
    await other.raise('meanwhile', 2, TTL_MS);
    await comes();
    await Promise.all([until(one, true), until(other, true)]);
    const fresh = await instance();
    expect([await fresh.raised('before'), await fresh.raised('meanwhile')]).toEqual([1, 2]);
  });
});

it('tells Redis what only others have raised, when they are gone', async () => {
  const [one, other] = [await instance(), await instance()];
  await one.raise('n', 7, TTL_MS);
  expect(await other.raised('n')).toBe(7);
  await one.onApplicationShutdown();
  await redis.stop();
  await redis.start();
  await until(other, true);
  expect(await other.raised('n')).toBe(7);
  expect(await (await instance()).raised('n')).toBe(7);
});

it('believes the greater number, of what it has raised and what it has heard', async () => {
  const [one, other] = [await instance(), await instance()];
  await one.raise('n', 1, TTL_MS);
  await other.raise('n', 3, TTL_MS);
  expect(await one.raised('n')).toBe(3);
  await redis.stop();
  await until(one, false);
  expect(await one.raised('n')).toBe(3);
  await redis.start();
});

it('still knows what was raised when Redis has lost it unnoticed, and tells it', async () => {
  const [one, other] = [await instance(), await instance()];
  await one.raise('n', 1, TTL_MS);
  await admin.flushall();
  expect(await one.raised('n')).toBe(1);
  await pause(50);
  expect(await other.raised('n')).toBe(1);

  await one.raise('m', 9, TTL_MS);
  await admin.flushall();
  await other.raise('m', 5, TTL_MS);
  expect(await one.raised('m')).toBe(9);
});

it('loses nothing that is raised while Redis is coming back', async () => {
  const state = await instance();
  await state.raise('old', 1, TTL_MS);
  await redis.stop();
  await redis.start();
  await admin.call('CLIENT', 'PAUSE', '400', 'WRITE');
  let count = 0;
  for (; count < 5_000 && state.sharedForMs === 0; count++) {
    await Promise.all([state.raise(`new-${count}`, 1, TTL_MS), state.raise('again', count, TTL_MS)]);
    await pause(1);
  }
  const fresh = await instance();
  const found = await Promise.all(Array.from({ length: count }, (_, index) => fresh.raised(`new-${index}`)));
  expect(found.filter((value) => value === 1)).toHaveLength(count);
  expect([await fresh.raised('old'), await fresh.raised('again')]).toEqual([1, count - 1]);
}, 20_000);

it('tells what was set in the moment of a lost connection', async () => {
  const [one, other] = [await instance(), await instance()];
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(one, false);
  await one.set('a', 'value', TTL_MS);
  expect(await other.get('a')).toBeUndefined();
  await Promise.all([until(one, true), until(other, true)]);
  expect(await other.get('a')).toBe('value');
});

it('goes on reading from a Redis that takes nothing more, and says so once', async () => {
  const [one, other] = [await instance(), await instance()];
  await other.raise('there', 1, TTL_MS);
  await fill();
  await one.raise('mine', 1, TTL_MS);
  expect(one.sharedForMs).toBe(0);
  await pause(1_500);
  expect([await one.raised('there'), await one.raised('mine')]).toEqual([1, 1]);
  expect(said).toEqual(['Redis takes nothing more']);
  await admin.config('SET', 'maxmemory', '0');
  await until(one, true);
  expect(await other.raised('mine')).toBe(1);
  expect(said).toEqual(['Redis takes nothing more', 'Redis is back']);
});

it('starts without Redis, and counts as shared from the moment it comes', async () => {
  await redis.stop();
  const state = await instance();
  expect(state.sharedForMs).toBe(0);
  const goneUntil = performance.now();
  await redis.start();
  await until(state, true);
  expect(state.sharedForMs).toBeLessThan(performance.now() - goneUntil);
  expect((await instance()).sharedForMs).toBe(Infinity);
});
