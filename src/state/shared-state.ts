import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '@mridang/nestjs-auth';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { OutageLog } from '../metrics/outage-log.js';
import type { StateCipher } from './state-cipher.js';

/** One of the things that are known under a key. The highest rank comes first. */
interface Entry {
  value: string;
  rank: number;
  /** milliseconds since 1970 */
  endsAt: number;
}

/** Two connections, which queue nothing while Redis is away, and how they are written to. */
export interface Link {
  redis: Redis;
  subscriber: Redis;
  cipher: StateCipher;
}

/** Instances that do not hear each other may each add one; Redis may have the same one from several. */
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
  private readonly loss = new OutageLog(this.logger, 'The state in memory is full: the oldest is forgotten');
  private readonly entries = new LRUCache<string, readonly Entry[]>({
    maxSize: MAX_BYTES,
    sizeCalculation: (list, key) =>
      list.reduce((sum, { value }) => sum + value.length, key.length + OVERHEAD_BYTES),
    dispose: (list, _key, reason) => reason === 'evict' && list.some(isLive) && this.loss.failed(),
  });
  private readonly claims = new LRUCache<string, true>({ maxSize: MAX_CLAIMS, sizeCalculation: () => 1 });
  /** `performance.now()` */
  private sharedSince: number | undefined;
  /** names the content of Redis, until it is emptied */
  private epoch: string | null = null;
  private joining: Promise<unknown> | undefined;
  private losses = 0;
  private hasSaid = false;
  private beat: NodeJS.Timeout | undefined;

  /** @param link none where there is one instance */
  constructor(private readonly link?: Link) {
    if (!link) return;
    link.subscriber.on('message', (_channel, sealed: string) => void this.hear(sealed, link));
    for (const connection of [link.redis, link.subscriber]) {
      connection.on('error', (error) => this.lost(error));
      connection.on('close', () => this.lost(new Error('The connection was closed')));
      connection.on('ready', () => void this.check());
    }
    this.beat = setInterval(() => void this.check(), BEAT_MS).unref();
  }

  /** For how many milliseconds all instances have seen the same; 0 while they do not, `Infinity` where there is one. */
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
    return (
      (this.isShared || this.joining !== undefined) &&
      (await this.unlessLost(this.tell(key, [entry], this.link))) === true
    );
  }

  /** Of all who ask for a claim one gets it, until it is released or `ttlMs` are over. */
  async claim(key: string, ttlMs: number): Promise<boolean> {
    if (this.claims.has(key)) return false;
    this.claims.set(key, true, { ttl: ttlMs });
    if (!this.link || !this.isShared) return true;
    const { redis, cipher } = this.link;
    const set = redis.set(cipher.nameOf('claim', key), '1', 'PX', Math.ceil(ttlMs), 'NX');
    const isFree = (await this.unlessLost(set)) !== null;
    if (!isFree) this.claims.delete(key);
    return isFree;
  }

  /** Redis is told when it does not answer, too: it may have heard of the claim, and hears of this after it. */
  async release(key: string): Promise<void> {
    this.claims.delete(key);
    if (!this.link) return;
    const told = this.unlessLost(this.link.redis.del(this.link.cipher.nameOf('claim', key)));
    if (this.isShared) await told;
  }

  /** Asks Redis whether all instances see the same; where it was away or emptied, makes this copy and Redis the same. */
  async check(): Promise<boolean> {
    this.entries.purgeStale();
    const { link } = this;
    if (link && [link.redis, link.subscriber].every(({ status }) => status === 'ready'))
      await (this.joining ??= this.unlessLost(this.join(link)).finally(() => (this.joining = undefined)));
    return this.isShared;
  }

  private async join(link: Link): Promise<void> {
    const { redis, subscriber, cipher } = link;
    const { losses } = this;
    const epoch = cipher.nameOf('epoch');
    const answers = await Promise.all([redis.get(epoch), redis.pexpire(epoch, EPOCH_MS), subscriber.ping()]);
    if (this.isShared && answers[0] === this.epoch) return;
    await selectDatabase(redis);
    await subscriber.subscribe(cipher.nameOf('news'));
    await redis.set(epoch, crypto.randomUUID(), 'PX', EPOCH_MS, 'NX');
    this.epoch = await redis.get(epoch);
    const there = new Set<string | undefined>();
    for await (const names of redis.scanStream({ match: `${cipher.nameOf('entries')}*`, count: BATCH })) {
      const found = await Promise.all((names as string[]).map((name) => redis.zrange(name, '0', '-1')));
      for (const id of await Promise.all(found.flat().map((sealed) => this.hear(sealed, link))))
        there.add(id);
    }
    const isMissing = (key: string) => !this.all(key).every((entry) => there.has(idOf(key, entry)));
    for (const missing = [...this.entries.keys()].filter(isMissing); missing.length > 0;)
      await Promise.all(missing.splice(-BATCH).map((key) => this.tell(key, this.all(key), link)));
    if (losses !== this.losses) throw new Error('Redis did not answer meanwhile');
    this.sharedSince ??= performance.now();
    if (this.hasSaid) this.logger.log('Redis is back');
    this.hasSaid = false;
  }

  private async tell(key: string, entries: readonly Entry[], { redis, cipher }: Link): Promise<true> {
    const name = cipher.nameOf('entries', key);
    const orders = redis.multi();
    for (const entry of entries) {
      const sealed = await cipher.encrypt(JSON.stringify([key, entry]));
      orders.zadd(name, entry.rank, sealed).publish(cipher.nameOf('news'), sealed);
    }
    const ttl = Math.max(1, ...this.all(key).map(({ endsAt }) => Math.ceil(endsAt - Date.now())));
    await orders
      .zremrangebyrank(name, 0, -1 - MAX_STORED)
      .pexpire(name, ttl)
      .exec();
    return true;
  }

  /** Returns what tells the entry from others. */
  private async hear(sealed: string, { cipher }: Link): Promise<string | undefined> {
    const text = await cipher.decrypt(sealed);
    if (text === undefined) return undefined;
    const [key, entry] = JSON.parse(text) as [string, Entry];
    this.merge(key, entry);
    return idOf(key, entry);
  }

  private merge(key: string, entry: Entry) {
    const others = this.all(key).filter(({ value, rank }) => value !== entry.value || rank > entry.rank);
    const isKnown = others.some(({ value }) => value === entry.value);
    const list = [...others, ...(isKnown ? [] : [entry])].sort((one, other) => other.rank - one.rank);
    const ttl = Math.max(...list.map(({ endsAt }) => endsAt)) - Date.now();
    if (ttl > 0) this.entries.set(key, list.slice(0, MAX_ENTRIES), { ttl });
  }

  /** `undefined` when Redis does not do it: from then on this instance is alone. */
  private unlessLost<T>(answer: Promise<T>): Promise<T | undefined> {
    return answer.catch((error: unknown) => this.lost(error));
  }

  /** Said once, until Redis is back. */
  private lost(error: unknown): undefined {
    this.losses++;
    this.sharedSince = undefined;
    if (this.hasSaid) return;
    this.hasSaid = true;
    const what =
      error instanceof Error && error.name === 'ReplyError' ? 'takes nothing more' : 'does not answer';
    const text = describeError(error);
    const hint = text.includes('DB index is out of range')
      ? '\nREDIS_URL names a database that this Redis does not have'
      : '';
    this.logger.error(`Redis ${what}: this instance goes on with what it knows\n${text}${hint}`);
  }
}

/** ioredis goes on with database 0 where there is none of that number. */
async function selectDatabase(redis: Redis): Promise<void> {
  const { db } = redis.options;
  if (db) await redis.select(db);
}

const isLive = ({ endsAt }: Entry) => endsAt > Date.now();

const idOf = (key: string, { value, rank }: Entry) => JSON.stringify([key, value, rank]);
