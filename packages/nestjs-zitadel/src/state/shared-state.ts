import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '@mridang/nestjs-auth';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { EVENT_PREFIX } from '../events/zitadel-event.js';
import { OutageLog } from '../log/outage-log.js';
import type { RedisLink } from './redis-link.js';

/** One of the values under a key, sorted by rank, highest first. */
interface Entry {
  value: string;
  rank: number;
  endsAt: number; // Unix time in milliseconds
}

/** Instances that cannot reach each other may each add a value. Redis may hold several copies of one. */
const MAX_VALUES = 3;
const MAX_STORED = 8;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const OVERHEAD = 200;
const MAX_LEASES = 100_000;
const CHECK_INTERVAL_MS = 1_000;
const START_TIMEOUT_MS = 2_000;
const MARKER_TTL_MS = 60_000;
const BATCH_SIZE = 500;

/**
 * What all instances must know: ended sessions, refreshed tokens, seen logout tokens. An instance reads from its local copy, without
 * a Redis round trip. What it adds is encrypted, stored in Redis and published to the others. On connect, the local copy and Redis
 * are synchronized both ways. While Redis is away, an instance uses its local copy alone. No method rejects.
 */
@Injectable()
export class SharedState implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('State');
  private readonly full = new OutageLog(this.logger, 'Local state is full: oldest evicted');
  private readonly eventsFull = new OutageLog(this.logger, 'Local events are full: oldest evicted');
  private readonly entries = localCopy(MAX_BYTES, this.full);
  private readonly ofEvents = localCopy(MAX_EVENT_BYTES, this.eventsFull);
  private readonly copyFor = (key: string) => (key.startsWith(EVENT_PREFIX) ? this.ofEvents : this.entries);
  readonly hasEvents = () => this.ofEvents.size > 0;
  readonly bytes = () => this.entries.calculatedSize + this.ofEvents.calculatedSize;
  private readonly leases = new LRUCache<string, true>({ maxSize: MAX_LEASES, sizeCalculation: () => 1 });
  /** `performance.now()` of the last synchronization after an outage, and of the last error since */
  private sharedSince: number | undefined;
  private failedAt: number | undefined;
  /** random value in Redis: changes when Redis was emptied */
  private marker: string | null = null;
  private syncing: Promise<unknown> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param link none for a single instance */
  constructor(private readonly link?: RedisLink) {
    if (!link) return;
    link.subscriber.on('message', (_channel, sealed: string) => void this.receive(sealed, link));
    for (const connection of [link.redis, link.subscriber]) {
      connection.on('error', this.fail);
      connection.on('close', () => this.fail(new Error('The connection was closed')));
      connection.on('ready', () => void this.check());
    }
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL_MS).unref();
  }

  /** Milliseconds since all instances have had the same state: 0 while Redis is away, `Infinity` for a single instance. */
  get sharedForMs(): number {
    return this.link ? Math.max(0, performance.now() - (this.sharedSince ?? Infinity)) : Infinity;
  }

  get isShared(): boolean {
    return this.sharedForMs > 0;
  }

  /** A new instance knows no ended session, so it waits for Redis; not for long, since it must start without Redis, too. */
  async onModuleInit(): Promise<void> {
    for (const end = Date.now() + START_TIMEOUT_MS; !this.isShared && Date.now() < end;) await wait(10);
    if (!this.isShared) this.fail(new Error(`Not connected after ${START_TIMEOUT_MS} ms`));
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    for (const log of [this.full, this.eventsFull]) log.end();
    for (const connection of this.link ? [this.link.redis, this.link.subscriber] : []) {
      connection.removeAllListeners().on('error', () => undefined);
      await connection.quit().catch(() => connection.disconnect());
    }
  }

  all(key: string): readonly Entry[] {
    return this.copyFor(key).get(key)?.filter(isLive) ?? [];
  }

  /** The value with the highest rank. */
  get(key: string): string | undefined {
    return this.copyFor(key).get(key)?.find(isLive)?.value;
  }

  /** Resolves to whether all instances have it. */
  async add(key: string, value: string, ttlMs: number, rank = 0): Promise<boolean> {
    const entry = { value, rank, endsAt: Date.now() + ttlMs };
    this.merge(key, entry);
    if (!this.link) return true;
    await this.syncing;
    return this.isShared && (await this.store(key, [entry], this.link).then(() => true, this.fail)) === true;
  }

  /** Resolves to `true` for one caller of all instances until the lease is released or `ttlMs` have passed. */
  async acquireLease(key: string, ttlMs: number): Promise<boolean> {
    if (this.leases.has(key)) return false;
    this.leases.set(key, true, { ttl: ttlMs });
    if (!this.link || !this.isShared) return true;
    const set = this.link.redis.set(this.link.nameOf('lease', key), '1', 'PX', Math.ceil(ttlMs), 'NX');
    if ((await set.catch(this.fail)) !== null) return true;
    this.leases.delete(key);
    return false;
  }

  /** Has no effect after the lease has expired. */
  async releaseLease(key: string): Promise<void> {
    if (!this.leases.has(key)) return;
    this.leases.delete(key);
    // A Redis that does not answer may have received the SET, so the DEL is sent as well, without waiting.
    const deleted = this.link?.redis.del(this.link.nameOf('lease', key)).catch(this.fail);
    if (this.isShared) await deleted;
  }

  /** Resolves to whether all instances have the same state. Synchronizes where Redis was away or emptied. */
  async check(): Promise<boolean> {
    for (const copy of [this.entries, this.ofEvents]) copy.purgeStale();
    const { link } = this;
    if (link?.redis.status === 'ready' && link.subscriber.status === 'ready') {
      this.syncing ??= this.synchronize(link)
        .catch(this.fail)
        .finally(() => (this.syncing = undefined));
      await this.syncing;
    }
    return this.isShared;
  }

  private async synchronize(link: RedisLink): Promise<void> {
    const { redis, subscriber } = link;
    const startedAt = performance.now();
    const marker = link.nameOf('marker');
    const found = await Promise.all([
      redis.get(marker),
      redis.pexpire(marker, MARKER_TTL_MS),
      subscriber.ping(),
    ]);
    if (this.isShared && found[0] === this.marker) return;
    await redis.select(redis.options.db ?? 0); // ioredis itself falls back to database 0
    await subscriber.subscribe(link.nameOf('channel'));
    await redis.set(marker, crypto.randomUUID(), 'PX', MARKER_TTL_MS, 'NX');
    this.marker = await redis.get(marker);
    const stored = new Set<string | undefined>();
    const scan = redis.scanStream({ match: `${link.nameOf('entries')}*`, count: BATCH_SIZE });
    for await (const names of scan) {
      const values = await Promise.all((names as string[]).map((name) => redis.zrange(name, '0', '-1')));
      for (const text of await Promise.all(values.flat().map((sealed) => this.receive(sealed, link))))
        stored.add(text);
    }
    const isMissing = (key: string) => !this.all(key).every((entry) => stored.has(textOf(key, entry)));
    const keys = [...this.entries.keys(), ...this.ofEvents.keys()];
    for (const missing = keys.filter(isMissing); missing.length > 0;)
      await Promise.all(missing.splice(-BATCH_SIZE).map((key) => this.store(key, this.all(key), link)));
    if ((this.failedAt ?? 0) >= startedAt) throw new Error('Failed during synchronization');
    this.sharedSince ??= performance.now();
    if (this.failedAt !== undefined) this.logger.log('Redis is back, state is shared again');
    this.failedAt = undefined;
  }

  private async store(key: string, entries: readonly Entry[], link: RedisLink) {
    const name = link.nameOf('entries', key);
    const transaction = link.redis.multi();
    for (const entry of entries) {
      const sealed = await link.encrypt(textOf(key, entry));
      transaction.zadd(name, entry.rank, sealed).publish(link.nameOf('channel'), sealed);
    }
    const ttlMs = Math.max(1, ...this.all(key).map(({ endsAt }) => Math.ceil(endsAt - Date.now())));
    await transaction
      .zremrangebyrank(name, 0, -1 - MAX_STORED)
      .pexpire(name, ttlMs)
      .exec();
  }

  private async receive(sealed: string, link: RedisLink): Promise<string | undefined> {
    const text = await link.decrypt(sealed);
    if (text !== undefined) this.merge(...(JSON.parse(text) as [string, Entry]));
    return text;
  }

  private merge(key: string, entry: Entry) {
    const others = this.all(key).filter(({ value, rank }) => value !== entry.value || rank > entry.rank);
    const isKnown = others.some(({ value }) => value === entry.value);
    const list = [...others, ...(isKnown ? [] : [entry])].sort((one, other) => other.rank - one.rank);
    const ttl = Math.max(...list.map(({ endsAt }) => endsAt)) - Date.now();
    if (ttl > 0) this.copyFor(key).set(key, list.slice(0, MAX_VALUES), { ttl });
  }

  private readonly fail = (error: unknown): undefined => {
    if (this.failedAt === undefined)
      this.logger.error(`Redis failed (REDIS_URL), only local state is used\n${describeError(error)}`);
    this.failedAt = performance.now();
    this.sharedSince = undefined;
  };
}

const localCopy = (maxSize: number, evictions: OutageLog) =>
  new LRUCache<string, readonly Entry[]>({
    maxSize,
    sizeCalculation: (list, key) =>
      list.reduce((sum, { value }) => sum + value.length, key.length + OVERHEAD),
    dispose: (list, _key, reason) => reason === 'evict' && list.some(isLive) && evictions.failed(),
  });

const isLive = ({ endsAt }: Entry) => endsAt > Date.now();
const textOf = (key: string, entry: Entry) => JSON.stringify([key, entry]);
