import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '@mridang/nestjs-auth';
import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import { MemoryState } from './memory-state.js';
import { SharedState } from './shared-state.js';
import type { StateCipher } from './state-cipher.js';

/** Longest wait for an answer of Redis, which is near. */
const TIMEOUT_MS = 500;

/** How long Redis is left alone after it has not answered, or has refused. */
const PAUSE_MS = 1_000;

const MAX_RECONNECT_MS = 2_000;

const START_MS = 2_000;

/** The pause, and the wait for the answer before it and after it. */
const SETTLES_IN_MS = PAUSE_MS + 2 * TIMEOUT_MS;

/** How many numbers are told to Redis at once when it is back. */
const BATCH = 500;

const PREFIX = 'nestjs-zitadel:';

/** Replaces a value only where it is still the one that was read; `''` stands for none. */
const REPLACE = `
local found = redis.call('GET', KEYS[1])
if (found or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/**
 * State on Redis, encrypted. While Redis is gone, or takes nothing more, this instance goes on with what it knows. Whatever
 * number it has heard of is told to Redis when it is back: it may have lost it.
 */
export class RedisState extends SharedState implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('State');
  private readonly redis: Redis;
  /** what this instance has set */
  private readonly own = new MemoryState();
  /** what was raised, here or elsewhere, as far as this instance has heard */
  private readonly heard = new MemoryState();
  /** keys of numbers that Redis may not have */
  private readonly owed = new Set<string>();
  /** keys of what this instance has set and Redis has not */
  private readonly unwritten = new MemoryState();
  private canRead = false;
  private canWrite = false;
  /** `performance.now()` */
  private sharedSince = -Infinity;
  private isRecovering = false;
  /** how many connections have ended */
  private endings = 0;
  private retry: NodeJS.Timeout | undefined;
  private hasSaid = false;

  constructor(
    url: string,
    private readonly cipher: StateCipher,
  ) {
    super();
    this.redis = new Redis(url, {
      keyPrefix: PREFIX,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      maxRetriesPerRequest: 0,
      commandTimeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS * 4,
      retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
    });
    this.redis.on('error', (error) => this.lost(error));
    this.redis.on('close', () => {
      this.endings++;
      this.lost(new Error('The connection was closed'));
    });
    this.redis.on('ready', () => void this.recover());
  }

  override get sharedForMs(): number {
    return this.canWrite ? performance.now() - this.sharedSince : 0;
  }

  override get settlesInMs(): number {
    return SETTLES_IN_MS;
  }

  override async check(): Promise<boolean> {
    await this.read(() => this.redis.ping());
    return this.canWrite;
  }

  /** Who has just started knows of no ended session: it waits a moment for Redis, but starts without it, too. */
  async onModuleInit(): Promise<void> {
    for (const end = Date.now() + START_MS; !this.canWrite && Date.now() < end;) await wait(10);
    if (!this.canWrite) this.lost(new Error(`Not connected after ${START_MS} ms`));
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.retry);
    this.redis.removeAllListeners();
    this.redis.on('error', () => undefined);
    await this.redis.quit().catch(() => this.redis.disconnect());
  }

  async get(key: string): Promise<string | undefined> {
    const name = this.cipher.nameOf(key);
    const found = await this.read(() => this.redis.get(name));
    return (found ? this.cipher.decrypt(name, found) : undefined) ?? this.own.get(key);
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.own.set(key, value, ttlMs);
    if ((await this.write(() => this.setThere(key))) === undefined) this.unwritten.set(key, '', ttlMs);
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    if (!this.own.setIfAbsent(key, value, ttlMs)) return false;
    const name = this.cipher.nameOf(key);
    const sealed = this.cipher.encrypt(name, value);
    const answer = await this.write(() => this.redis.set(name, sealed, 'PX', Math.ceil(ttlMs), 'NX'));
    if (answer !== null) return true;
    this.own.delete(key);
    return false;
  }

  async raise(key: string, value: number, ttlMs: number): Promise<void> {
    this.heard.raise(key, value, ttlMs);
    // At once: who tells Redis the rest looks for it in the same turn.
    if (!this.canWrite) this.owed.add(key);
    else if (!(await this.write(() => this.raiseThere(key)))) this.owed.add(key);
  }

  async raised(key: string): Promise<number | undefined> {
    const name = this.cipher.nameOf(key);
    const found = await this.read(() => this.redis.get(name));
    const there = (found ? this.numberIn(name, found) : undefined) ?? -Infinity;
    const here = this.raisedHere(key) ?? -Infinity;
    if (there > here) await this.hear(key, name, there);
    // Redis has lost it.
    else if (here > there) void this.write(() => this.raiseThere(key));
    const highest = Math.max(there, here);
    return highest === -Infinity ? undefined : highest;
  }

  private async hear(key: string, name: string, value: number) {
    const ttlMs = await this.read(() => this.redis.pttl(name));
    if (ttlMs !== undefined && ttlMs > 0) this.heard.raise(key, value, ttlMs);
  }

  raisedHere(key: string): number | undefined {
    return this.heard.raised(key);
  }

  private async setThere(key: string): Promise<true> {
    const value = this.own.get(key);
    if (value === undefined) return true;
    const name = this.cipher.nameOf(key);
    const ttlMs = Math.max(1, Math.ceil(this.own.ttlMs(key)));
    await this.redis.set(name, this.cipher.encrypt(name, value), 'PX', ttlMs);
    return true;
  }

  /** Redis sees ciphertexts only and cannot compare: the comparison is here, and Redis makes sure that nobody came between. */
  private async raiseThere(key: string): Promise<true> {
    const name = this.cipher.nameOf(key);
    for (;;) {
      const value = this.raisedHere(key);
      const found = (await this.redis.get(name)) ?? '';
      if (value === undefined || (this.numberIn(name, found) ?? -Infinity) >= value) return true;
      const sealed = this.cipher.encrypt(name, String(value));
      const ttlMs = Math.max(1, Math.ceil(this.heard.ttlMs(key)));
      // Whoever came between has raised it, too: this ends.
      if ((await this.redis.eval(REPLACE, 1, name, found, sealed, ttlMs)) === 1) return true;
    }
  }

  private numberIn(name: string, found: string): number | undefined {
    const text = this.cipher.decrypt(name, found);
    return text === undefined ? undefined : Number(text);
  }

  /** `undefined` when Redis does not answer. */
  private async read<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.canRead) return undefined;
    try {
      return await question();
    } catch (error) {
      this.lost(error);
      return undefined;
    }
  }

  /** `undefined` when Redis does not take it. */
  private async write<T>(order: () => Promise<T>): Promise<T | undefined> {
    if (!this.canWrite) return undefined;
    try {
      return await order();
    } catch (error) {
      this.notWritten(error);
      return undefined;
    }
  }

  private lost(error: unknown) {
    this.canRead = false;
    this.apart(`Redis does not answer: this instance goes on with what it knows\n${describeError(error)}`);
  }

  private notWritten(error: unknown) {
    if (isRefusal(error)) this.apart(`Redis takes nothing more\n${describeError(error)}`);
    else this.lost(error);
  }

  /** Said once, until Redis is back. */
  private apart(sentence: string) {
    this.canWrite = false;
    // A connection that was lost says itself when it is back.
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      if (this.redis.status === 'ready') void this.recover();
    }, PAUSE_MS).unref();
    if (this.hasSaid) return;
    this.hasSaid = true;
    this.logger.error(sentence);
  }

  private async recover(): Promise<void> {
    if (this.isRecovering) return;
    this.isRecovering = true;
    try {
      let endings: number;
      do {
        endings = this.endings;
        if (!this.canWrite) for (const key of this.heard.keys()) this.owed.add(key);
        await this.redis.ping();
        this.canRead = true;
        await this.redis.set('probe', '', 'PX', PAUSE_MS);
        for (const key of this.unwritten.keys()) {
          await this.setThere(key);
          this.unwritten.delete(key);
        }
        while (this.owed.size > 0) await this.pay([...this.owed].slice(0, BATCH));
        // Another Redis may have come meanwhile, which has nothing of it.
      } while (endings !== this.endings || !this.canRead);
      if (!this.canWrite) this.together();
    } catch (error) {
      this.notWritten(error);
    } finally {
      this.isRecovering = false;
    }
  }

  /** Who raises one of them meanwhile owes it again. */
  private async pay(keys: readonly string[]) {
    for (const key of keys) this.owed.delete(key);
    try {
      await Promise.all(keys.map((key) => this.raiseThere(key)));
    } catch (error) {
      for (const key of keys) this.owed.add(key);
      throw error;
    }
  }

  private together() {
    this.canWrite = true;
    if (!this.hasSaid) return;
    this.hasSaid = false;
    this.sharedSince = performance.now();
    this.logger.log('Redis is back');
  }
}

/** An answer, and not what is wrong with the connection: reading may still work. */
const isRefusal = (error: unknown) => error instanceof Error && error.name === 'ReplyError';
