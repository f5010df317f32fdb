import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '@mridang/nestjs-auth';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { StateCipher } from './state-cipher.js';

/** One of the things that are known under a key. Of several, the highest rank comes first. */
interface Entry {
  value: string;
  rank: number;
  /** milliseconds since 1970 */
  endsAt: number;
}

/** Redis, and how it is written to. The connections queue nothing while it is away. */
export interface Link {
  redis: Redis;
  subscriber: Redis;
  cipher: StateCipher;
}

/** Instances that do not hear each other may each write one; in Redis the same may stand twice. */
const MAX_ENTRIES = 3;
const MAX_STORED = 8;

const MAX_BYTES = 64 * 1024 * 1024;
const OVERHEAD_BYTES = 200;
const MAX_CLAIMS = 100_000;

/** How often Redis is asked whether it is there, and still the same. */
const BEAT_MS = 1_000;
const START_MS = 2_000;
const EPOCH_MS = 60_000;
/** Keys that are read or written at once. */
const BATCH = 500;

/**
 * What all instances of the application must know, each in a copy of its own: reading waits for nobody, and nothing rejects. What
 * is added is written to Redis, encrypted, and published; an instance that connects reads all there is and writes what Redis does
 * not have. While Redis is away each goes on alone.
 */
@Injectable()
export class SharedState implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('State');
  private readonly entries = new LRUCache<string, readonly Entry[]>({
    maxSize: MAX_BYTES,
    sizeCalculation: (list, key) =>
      list.reduce((sum, { value }) => sum + value.length, key.length + OVERHEAD_BYTES),
    dispose: (list, _key, reason) => reason === 'evict' && list.some(isLive) && this.say('warn', FULL),
  });
  private readonly claims = new LRUCache<string, true>({ maxSize: MAX_CLAIMS, sizeCalculation: () => 1 });
  /** `performance.now()` */
  private sharedSince: number | undefined;
  /** names the content of Redis, until it is emptied */
  private epoch: string | null = null;
  private isJoining = false;
  private closings = 0;
  private readonly said = new Set<string>();
  private beat: NodeJS.Timeout | undefined;

  /** @param link none where there is one instance */
  constructor(private readonly link?: Link) {
    if (!link) return;
    link.subscriber.on('message', (_channel, sealed: string) => this.hear(sealed, link));
    for (const connection of [link.redis, link.subscriber]) {
      connection.on('error', (error) => this.lost(error));
      connection.on('close', () => this.lost(new Error(`Connections were closed: ${++this.closings}`)));
      connection.on('ready', () => void this.join(link));
    }
    this.beat = setInterval(() => void this.check(), BEAT_MS).unref();
  }

  /** For how many milliseconds all instances have seen the same; 0 while they do not. */
  get sharedForMs(): number {
    if (!this.link) return Infinity;
    return this.sharedSince === undefined ? 0 : performance.now() - this.sharedSince;
  }

  get isShared(): boolean {
    return this.sharedForMs > 0;
  }

  /** Memory the copy takes, about. */
  get bytes(): number {
    return this.entries.calculatedSize;
  }

  /** Who has just started knows of no ended session: it waits a moment for Redis, but starts without it, too. */
  async onModuleInit(): Promise<void> {
    for (const end = Date.now() + START_MS; !this.isShared && Date.now() < end;) await wait(10);
    if (!this.isShared) this.lost(new Error(`Not connected after ${START_MS} ms`));
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.beat);
    for (const connection of this.link ? [this.link.redis, this.link.subscriber] : []) {
      connection.removeAllListeners().on('error', () => undefined);
      await connection.quit().catch(() => connection.disconnect());
    }
  }

  /** Asks Redis whether all instances see the same. */
  async check(): Promise<boolean> {
    this.entries.purgeStale();
    if (this.link && !this.isShared) await this.join(this.link);
    else if (this.link) await this.unlessLost(this.link, (link) => this.joinAnew(link));
    return this.isShared;
  }

  /** What is known under a key, the highest rank first. */
  all(key: string): readonly Entry[] {
    return this.entries.size === 0 ? [] : (this.entries.get(key) ?? []).filter(isLive);
  }

  /** The value of the highest rank. */
  get(key: string): string | undefined {
    return this.all(key)[0]?.value;
  }

  /** Makes something known for `ttlMs`. Resolves to whether all instances know it. */
  async add(key: string, value: string, ttlMs: number, rank = 0): Promise<boolean> {
    const entry = { value, rank, endsAt: Date.now() + ttlMs };
    this.merge(key, entry);
    if (!this.link) return true;
    // While it joins, too: what Redis does not have has just been looked for.
    const isThere = this.isShared || this.isJoining;
    return isThere && (await this.unlessLost(this.link, (link) => this.tell(key, [entry], link))) === true;
  }

  /** Of all who ask for a claim one gets it, until it is released or `ttlMs` are over. */
  async claim(key: string, ttlMs: number): Promise<boolean> {
    if (this.claims.has(key)) return false;
    this.claims.set(key, true, { ttl: ttlMs });
    if (!this.link || !this.isShared) return true;
    const isFree = await this.unlessLost(this.link, ({ redis, cipher }) =>
      redis.set(`${cipher.space}:claim:${cipher.nameOf(key)}`, '1', 'PX', Math.ceil(ttlMs), 'NX'),
    );
    if (isFree === null) this.claims.delete(key);
    return isFree !== null;
  }

  async release(key: string): Promise<void> {
    this.claims.delete(key);
    if (this.link && this.isShared)
      await this.unlessLost(this.link, ({ redis, cipher }) =>
        redis.del(`${cipher.space}:claim:${cipher.nameOf(key)}`),
      );
  }

  private merge(key: string, entry: Entry) {
    const others = this.all(key).filter(({ value, rank }) => value !== entry.value || rank > entry.rank);
    const isKnown = others.some(({ value }) => value === entry.value);
    const list = [...others, ...(isKnown ? [] : [entry])].sort((one, other) => other.rank - one.rank);
    const ttl = Math.max(...list.map(({ endsAt }) => endsAt)) - Date.now();
    if (ttl > 0) this.entries.set(key, list.slice(0, MAX_ENTRIES), { ttl });
  }

  private async tell(key: string, entries: readonly Entry[], { redis, cipher }: Link): Promise<true> {
    const name = `${cipher.space}:entries:${cipher.nameOf(key)}`;
    const orders = redis.multi();
    for (const entry of entries) {
      const sealed = cipher.encrypt(JSON.stringify([key, entry]));
      orders.zadd(name, entry.rank, sealed).publish(cipher.space, sealed);
    }
    const ttl = Math.max(1, ...this.all(key).map(({ endsAt }) => Math.ceil(endsAt - Date.now())));
    await orders
      .zremrangebyrank(name, 0, -1 - MAX_STORED)
      .pexpire(name, ttl)
      .exec();
    return true;
  }

  /** Returns what tells the entry from others. */
  private hear(sealed: string, { cipher }: Link): string | undefined {
    const text = cipher.decrypt(sealed);
    if (text === undefined) return undefined;
    const [key, entry] = JSON.parse(text) as [string, Entry];
    this.merge(key, entry);
    return idOf(key, entry);
  }

  /** Where Redis was emptied, or is another one. */
  private async joinAnew(link: Link): Promise<void> {
    const { redis, subscriber, cipher } = link;
    const name = `${cipher.space}:epoch`;
    const asked = [redis.get(name), redis.pexpire(name, EPOCH_MS), subscriber.ping()] as const;
    if ((await Promise.all(asked))[0] !== this.epoch) await this.join(link);
  }

  /** Makes this copy and Redis the same. */
  private async join(link: Link): Promise<void> {
    const { redis, subscriber, cipher } = link;
    if (this.isJoining || redis.status !== 'ready' || subscriber.status !== 'ready') return;
    this.isJoining = true;
    const { closings } = this;
    await this.unlessLost(link, async () => {
      await subscriber.subscribe(cipher.space);
      await redis.set(`${cipher.space}:epoch`, crypto.randomUUID(), 'PX', EPOCH_MS, 'NX');
      this.epoch = await redis.get(`${cipher.space}:epoch`);
      const there = new Set<string | undefined>();
      for await (const names of redis.scanStream({ match: `${cipher.space}:entries:*`, count: BATCH })) {
        const found = await Promise.all((names as string[]).map((name) => redis.zrange(name, '0', '-1')));
        for (const sealed of found.flat()) there.add(this.hear(sealed, link));
      }
      const isMissing = (key: string) => !this.all(key).every((entry) => there.has(idOf(key, entry)));
      for (const missing = [...this.entries.keys()].filter(isMissing); missing.length > 0;)
        await Promise.all(missing.splice(-BATCH).map((key) => this.tell(key, this.all(key), link)));
      if (closings !== this.closings) throw new Error('The connection was closed meanwhile');
      this.sharedSince ??= performance.now();
      if (this.said.delete(LOST) || this.said.delete(REFUSED)) this.logger.log('Redis is back');
    });
    this.isJoining = false;
  }

  /** `undefined` when Redis does not do it: from then on this instance is alone. */
  private async unlessLost<T>(link: Link, order: (link: Link) => Promise<T>): Promise<T | undefined> {
    try {
      return await order(link);
    } catch (error) {
      this.lost(error);
      return undefined;
    }
  }

  /** Said once, until Redis is back. */
  private lost(error: unknown) {
    this.sharedSince = undefined;
    if (this.said.has(LOST) || this.said.has(REFUSED)) return;
    this.say('error', error instanceof Error && error.name === 'ReplyError' ? REFUSED : LOST, error);
  }

  private say(level: 'warn' | 'error', sentence: string, error?: unknown) {
    if (this.said.has(sentence)) return;
    this.said.add(sentence);
    this.logger[level](error === undefined ? sentence : `${sentence}\n${describeError(error)}`);
  }
}

const LOST = 'Redis does not answer: this instance goes on with what it knows';
const REFUSED = 'Redis takes nothing more: this instance goes on with what it knows';
const FULL = 'The state in memory is full: the oldest of it is forgotten before its time';

const isLive = ({ endsAt }: Entry) => endsAt > Date.now();

const idOf = (key: string, { value, rank }: Entry) => JSON.stringify([key, value, rank]);
