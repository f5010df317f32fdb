import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SharedState } from '../src/state/shared-state.js';
import { RedisLink } from '../src/state/redis-link.js';
import { startRedis, type RunningRedis } from '../../../test/support/redis.js';
import { until } from '../../../test/support/until.js';

const TTL_MS = 60_000;
const SECRET = 'a secret of the test';
const FAILED = 'Redis failed (REDIS_URL), only local state is used';

let redis: RunningRedis;
let admin: Redis;
let instances: SharedState[];
/** of the latest instance */
let link: RedisLink;
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
  // Leaves out the lines that the outage of an earlier test logs ten seconds later.
  const note = (message: unknown) =>
    /: (none|\d+ more) in /.test(String(message)) || said.push(String(message).split(/[:\n]/, 1)[0] ?? '');
  Logger.overrideLogger({ log: note, error: note, warn: note });
});
afterEach(async () => {
  redis.thaw();
  await redis.start();
  await Promise.all(instances.map((instance) => instance.onApplicationShutdown()));
  await admin.config('SET', 'maxmemory', '0');
  await admin.flushall();
});

async function instance(secrets = [SECRET], path = '') {
  link = new RedisLink(redis.url + path, secrets, 'salt');
  const state = new SharedState(link);
  instances.push(state);
  await state.onModuleInit();
  return state;
}

const isShared = (state: SharedState, is: boolean) => until(async () => (await state.check()) === is);
const knows = (state: SharedState, key: string, value: string | undefined) =>
  until(() => state.get(key) === value);

/** Makes Redis accept reads only. */
const fill = () => admin.config('SET', 'maxmemory', '1');

it('a user with the rights that docs/deploy.md names is enough for the state of two instances', async () => {
  const [, rule = ''] = /^ACL SETUSER (.+)$/m.exec(readFileSync('docs/deploy.md', 'utf8')) ?? [];
  const [name = '', ...rules] = rule.replace('>password', '>secret').split(' ');
  await admin.acl('SETUSER', name, 'reset', ...rules);
  const { port } = new URL(redis.url);
  const url = `redis://${name}:secret@127.0.0.1:${port}/1`;
  const links = [1, 2].map(() => new RedisLink(url, [SECRET], 'salt'));
  const [one, two] = links.map((each) => new SharedState(each));
  if (!one || !two) throw new Error('Two instances are needed');
  instances.push(one, two);
  await Promise.all([one.onModuleInit(), two.onModuleInit()]);
  await isShared(one, true);
  await isShared(two, true);
  expect(await one.add('a', 'value', TTL_MS)).toBe(true);
  await knows(two, 'a', 'value');
  expect([await one.acquireLease('b', TTL_MS), await two.acquireLease('b', TTL_MS)]).toEqual([true, false]);
  await one.releaseLease('b');
  expect(await two.acquireLease('b', TTL_MS)).toBe(true);
  const third = new SharedState(new RedisLink(url, [SECRET], 'salt'));
  instances.push(third);
  await third.onModuleInit();
  expect(third.get('a')).toBe('value');
  await admin.acl('DELUSER', name);
});

it('a database number that Redis does not have leads to local state only, and the log names REDIS_URL', async () => {
  const whole: string[] = [];
  const note = (message: unknown) => void whole.push(String(message));
  Logger.overrideLogger({ log: note, error: note, warn: note });
  const state = await instance([SECRET], '/99');
  expect(await state.add('key', 'value', TTL_MS)).toBe(false);
  expect(state.isShared).toBe(false);
  expect(await redis.content()).toEqual([]);
  expect(whole.join()).toMatch(/REDIS_URL.*\n.*DB index is out of range/);
});

it('two instances share their state if they name the same database of Redis', async () => {
  const [one, two, other] = [
    await instance([SECRET], '/3'),
    await instance([SECRET], '/3'),
    await instance(),
  ];
  expect(await one.add('key', 'value', TTL_MS)).toBe(true);
  await knows(two, 'key', 'value');
  expect(other.isShared).toBe(true);
});

describe('the state of one instance', () => {
  it('keeps the three entries of a key with the highest rank until they expire', async () => {
    const state = new SharedState();
    expect(await state.add('a', 'short', 30)).toBe(true);
    expect(state.get('a')).toBe('short');
    await pause(40);
    expect(state.get('a')).toBeUndefined();
    for (const [value, rank] of [
      ['one', 1],
      ['nine', 9],
      ['five', 5],
      ['seven', 7],
    ] as const)
      await state.add('n', value, TTL_MS, rank);
    expect(state.all('n').map(({ value }) => value)).toEqual(['nine', 'seven', 'five']);
    expect([state.isShared, state.sharedForMs]).toEqual([true, Infinity]);
  });

  it('keeps a value once, with its highest rank', async () => {
    const state = new SharedState();
    for (const rank of [3, 1, 5]) await state.add('a', 'value', TTL_MS, rank);
    await state.add('a', 'other', TTL_MS, 4);
    expect(state.all('a').map(({ value, rank }) => [value, rank])).toEqual([
      ['value', 5],
      ['other', 4],
    ]);
  });

  it('gives a lease to one caller until it expires or is released', async () => {
    const state = new SharedState();
    expect([await state.acquireLease('a', 30), await state.acquireLease('a', 30)]).toEqual([true, false]);
    await pause(40);
    expect(await state.acquireLease('a', TTL_MS)).toBe(true);
    await state.releaseLease('a');
    expect(await state.acquireLease('a', TTL_MS)).toBe(true);
  });

  it('keeps 64 MB at most and logs once that it drops entries', async () => {
    const state = new SharedState();
    const large = 'x'.repeat(8 * 1024 * 1024);
    for (let count = 0; count < 12; count++) await state.add(`large-${count}`, large, TTL_MS);
    expect(state.bytes()).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect([state.get('large-0'), state.get('large-11')]).toEqual([undefined, large]);
    expect(said).toEqual(['Local state is full']);
    await state.onApplicationShutdown();
    expect(said).toEqual(['Local state is full', 'Local state is full']);
  });

  it('keeps 16 MB of events at most, which evict nothing else', async () => {
    const state = new SharedState();
    await state.add('a', 'of a session', TTL_MS);
    const large = 'x'.repeat(4 * 1024 * 1024);
    for (let count = 0; count < 20; count++) await state.add(`event:${count}`, large, TTL_MS);
    expect(state.bytes()).toBeLessThanOrEqual(16 * 1024 * 1024 + 1_000);
    expect([state.get('a'), state.get('event:0'), state.get('event:19')]).toEqual([
      'of a session',
      undefined,
      large,
    ]);
    expect(said).toEqual(['Local events are full']);
    await state.onApplicationShutdown();
    expect(said).toEqual(['Local events are full', 'Local events are full']);
  });
});

describe('two instances with one Redis', () => {
  it("receive each other's entries and give a lease to one of four concurrent callers", async () => {
    const [one, other] = [await instance(), await instance()];
    expect(await one.add('a', 'value', TTL_MS)).toBe(true);
    await knows(other, 'a', 'value');
    const won = await Promise.all([one, other, one, other].map((state) => state.acquireLease('b', TTL_MS)));
    expect(won.filter(Boolean)).toHaveLength(1);
    await Promise.all([one.releaseLease('b'), other.releaseLease('b')]);
    expect(await other.acquireLease('b', TTL_MS)).toBe(true);
  });

  it('order the entries of a key alike', async () => {
    const [one, other] = [await instance(), await instance()];
    await Promise.all(
      [3, 9, 5, 7].map((rank, index) => (index % 2 ? one : other).add('n', String(rank), TTL_MS, rank)),
    );
    for (const state of [one, other, await instance()]) {
      await knows(state, 'n', '9');
      expect(state.all('n').map(({ value }) => value)).toEqual(['9', '7', '5']);
    }
  });

  it('read entries without a request to Redis', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.add('a', 'value', TTL_MS);
    await knows(other, 'a', 'value');
    const send = jest.spyOn(Redis.prototype, 'sendCommand');
    expect([other.get('a'), other.get('b')]).toEqual(['value', undefined]);
    expect(send).not.toHaveBeenCalled();
    send.mockRestore();
  });

  it('read entries of an older secret, and ignore those of an unknown secret', async () => {
    const before = await instance();
    await before.add('a', 'value', TTL_MS);
    const rotated = await instance(['another secret of the test', SECRET]);
    expect(rotated.get('a')).toBe('value');
    const foreign = await instance(['somebody else’s secret']);
    expect(foreign.get('a')).toBeUndefined();
    await foreign.add('a', 'their value', TTL_MS);
    expect(foreign.get('a')).toBe('their value');
    await pause(50);
    expect(rotated.get('a')).toBe('value');
  });

  it('do not accept a value under the name of another key', async () => {
    const state = await instance();
    await state.add('ended:session:mallory', '1', TTL_MS);
    const [found] = await admin.keys('*:entries:*');
    const name = link.nameOf('entries', 'ended:session:alice');
    await admin.copy(String(found), name);
    const fresh = await instance();
    expect([fresh.get('ended:session:mallory'), fresh.get('ended:session:alice')]).toEqual(['1', undefined]);
  });

  it('store only hashed names and encrypted values with an expiry in Redis', async () => {
    const state = await instance();
    await state.add('ended:user:218374', '1', TTL_MS);
    await state.add('refresh:218374', 'value', TTL_MS);
    await state.acquireLease('lease:218374', TTL_MS);
    const content = await redis.content();
    expect(content).toHaveLength(4);
    expect(JSON.stringify(content)).not.toMatch(/218374|ended|refresh|value"?:"value/);
    for (const { ttlMs } of content) expect(ttlMs).toBeGreaterThan(0);
  });

  it('keep only the latest entries of a key in Redis', async () => {
    const state = await instance();
    for (let rank = 0; rank < 50; rank++) await state.add('n', String(rank), TTL_MS, rank);
    const [name] = await admin.keys('*:entries:*');
    expect(await admin.zcard(String(name))).toBeLessThanOrEqual(8);
    expect((await instance()).get('n')).toBe('49');
  });
});

describe.each([
  ['stopped', () => redis.stop(), () => redis.start()],
  ['frozen', () => Promise.resolve(redis.freeze()), () => Promise.resolve(redis.thaw())],
])('while Redis is %s,', (_name, goes, comes) => {
  it('an instance notices it without a request, logs it once and logs once that Redis is back', async () => {
    const state = await instance();
    await goes();
    await until(() => !state.isShared);
    await pause(2_500);
    expect(await state.check()).toBe(false);
    expect(said).toEqual([FAILED]);
    const goneUntil = performance.now();
    await comes();
    await isShared(state, true);
    expect(said).toEqual([FAILED, 'Redis is back, state is shared again']);
    expect(state.sharedForMs).toBeLessThan(performance.now() - goneUntil);
  }, 20_000);

  it('no write is sent to Redis once that is known', async () => {
    const state = await instance();
    await goes();
    await until(() => !state.isShared);
    const send = jest.spyOn(Redis.prototype, 'sendCommand');
    expect(await Promise.all([state.add('m', '1', TTL_MS), state.acquireLease('c', TTL_MS)])).toEqual([
      false,
      true,
    ]);
    const asked = send.mock.calls.map(([{ name }]) => name);
    expect(asked.filter((name) => /zadd|multi|publish|^set$/.test(name))).toEqual([]);
    send.mockRestore();
    await comes();
  });

  it('entries are kept locally, and all are shared when Redis is back', async () => {
    const [one, other] = [await instance(), await instance()];
    await one.add('before', '1', TTL_MS);
    await knows(other, 'before', '1');
    await goes();
    await until(() => !one.isShared && !other.isShared);
    expect(await one.add('meanwhile', 'of one', TTL_MS, 1)).toBe(false);
    expect(await other.add('meanwhile', 'of the other', TTL_MS, 2)).toBe(false);
    expect([one.get('before'), other.get('before')]).toEqual(['1', '1']);
    await comes();
    await Promise.all([isShared(one, true), isShared(other, true)]);
    for (const state of [one, other, await instance()]) {
      await knows(state, 'meanwhile', 'of the other');
      expect(state.all('meanwhile').map(({ value }) => value)).toEqual(['of the other', 'of one']);
      expect(state.get('before')).toBe('1');
    }
  });
});

it('a lease that was acquired and released while Redis was frozen is free when Redis is back', async () => {
  const [one, other] = [await instance(), await instance()];
  redis.freeze();
  expect(await one.acquireLease('frozen', TTL_MS)).toBe(true);
  await one.releaseLease('frozen');
  redis.thaw();
  await Promise.all([isShared(one, true), isShared(other, true)]);
  expect(await other.acquireLease('frozen', TTL_MS)).toBe(true);
});

it('an instance writes the entries of a stopped instance to Redis when Redis is back', async () => {
  const [one, other] = [await instance(), await instance()];
  await one.add('n', '7', TTL_MS);
  await knows(other, 'n', '7');
  await one.onApplicationShutdown();
  await redis.stop();
  await until(() => !other.isShared);
  await redis.start();
  await isShared(other, true);
  expect((await instance()).get('n')).toBe('7');
});

it('an instance writes all its entries to Redis after Redis was emptied', async () => {
  const [one, other] = [await instance(), await instance()];
  await one.add('n', '1', TTL_MS);
  await knows(other, 'n', '1');
  await admin.flushall();
  await until(async () => (await admin.keys('*:entries:*')).length === 1);
  expect((await instance()).get('n')).toBe('1');
  expect(said).toEqual([]);
});

it('no entry that is added while Redis starts is lost', async () => {
  const state = await instance();
  await state.add('old', '1', TTL_MS);
  await redis.stop();
  await until(() => !state.isShared);
  await redis.start();
  await admin.call('CLIENT', 'PAUSE', '400', 'WRITE');
  let count = 0;
  for (; count < 5_000 && !state.isShared; count++) {
    void state.add(`new-${count}`, '1', TTL_MS);
    void state.add('again', String(count), TTL_MS, count);
    await pause(1);
  }
  await until(async () => (await state.check()) && (await admin.keys('*:entries:*')).length === count + 2);
  const fresh = await instance();
  await isShared(fresh, true);
  expect(Array.from({ length: count }, (_, index) => fresh.get(`new-${index}`)).filter(Boolean)).toHaveLength(
    count,
  );
  expect([fresh.get('old'), fresh.get('again')]).toEqual(['1', String(count - 1)]);
}, 20_000);

it('an entry that is added at the moment of a lost connection is shared after the reconnection', async () => {
  const [one, other] = [await instance(), await instance()];
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(() => !one.isShared);
  await one.add('a', 'value', TTL_MS);
  expect(other.get('a')).toBeUndefined();
  await Promise.all([isShared(one, true), isShared(other, true)]);
  await knows(other, 'a', 'value');
});

it('an instance receives entries again after only its subscription was lost', async () => {
  const [one, other] = [await instance(), await instance()];
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(() => !other.isShared);
  await Promise.all([isShared(one, true), isShared(other, true)]);
  await one.add('a', 'value', TTL_MS);
  await knows(other, 'a', 'value');
});

it('an instance keeps its state locally and logs it while Redis accepts no writes', async () => {
  const [one, other] = [await instance(), await instance()];
  await other.add('there', '1', TTL_MS);
  await knows(one, 'there', '1');
  await fill();
  expect(await one.add('mine', '1', TTL_MS)).toBe(false);
  expect(one.isShared).toBe(false);
  await pause(1_500);
  expect([one.get('there'), one.get('mine')]).toEqual(['1', '1']);
  expect(said.filter((text) => text === FAILED).length).toBeGreaterThan(0);
  await admin.config('SET', 'maxmemory', '0');
  await isShared(one, true);
  await knows(other, 'mine', '1');
});

it('an instance counts sharedForMs from its first connection to Redis', async () => {
  await redis.stop();
  const state = await instance();
  expect(state.sharedForMs).toBe(0);
  const goneUntil = performance.now();
  await redis.start();
  await isShared(state, true);
  expect(state.sharedForMs).toBeLessThan(performance.now() - goneUntil);
  const startedAt = performance.now();
  expect((await instance()).sharedForMs).toBeLessThan(performance.now() - startedAt);
});
