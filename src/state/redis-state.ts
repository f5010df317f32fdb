import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '@mridang/nestjs-auth';
import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis } from 'ioredis';
import { MemoryState } from './memory-state.js';
import { SharedState } from './shared-state.js';
import type { StateCipher } from './state-cipher.js';

/** Longest wait for an answer of Redis, which is near. */
const TIMEOUT_MS = 500;

/** How long Redis is left alone when it did not answer. */
const PAUSE_MS = 1_000;

const MAX_RECONNECT_MS = 2_000;

const START_MS = 2_000;

const PREFIX = 'nestjs-zitadel:';

/** Replaces a value only where it is still the one that was read; `''` stands for none. */
const REPLACE = `
local found = redis.call('GET', KEYS[1])
if (found or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** Instances that raise the same value at the same moment take turns. */
const MAX_TURNS = 20;

/**
 * State on Redis, encrypted. While Redis is gone, this instance goes on with what it knows; what was raised meanwhile, or
 * was lost with Redis, is written when it is back.
 */
export class RedisState extends SharedState implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('State');
  private readonly redis: Redis;
  /** what this instance has set or raised */
  private readonly known = new MemoryState();
  /** what was raised: never to be forgotten before its time */
  private readonly raised = new MemoryState();
  private retry: NodeJS.Timeout | undefined;
  private isUp = false;
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
    this.redis.on('error', (error) => this.fail(error));
    this.redis.on('close', () => this.fail(new Error('The connection was closed')));
    this.redis.on('ready', () => void this.recover());
  }

  override get isShared(): boolean {
    return this.isUp;
  }

  /** Who has just started knows of no ended session: it waits a moment for Redis, but starts without it, too. */
  async onModuleInit(): Promise<void> {
    for (const end = Date.now() + START_MS; !this.isUp && Date.now() < end;) await wait(10);
    if (!this.isUp) this.fail(new Error(`Not connected after ${START_MS} ms`));
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.retry);
    this.redis.removeAllListeners();
    this.redis.on('error', () => undefined);
    await this.redis.quit().catch(() => this.redis.disconnect());
  }

  async get(key: string): Promise<string | undefined> {
    const found = await this.ask(() => this.redis.get(key));
    if (found === undefined) return this.raised.get(key) ?? this.known.get(key);
    const value = found === null ? undefined : this.cipher.decrypt(key, found);
    if (value !== undefined) void this.remember(key, value);
    return value;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.known.set(key, value, ttlMs);
    await this.ask(() => this.redis.set(key, this.cipher.encrypt(key, value), 'PX', Math.ceil(ttlMs)));
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    const sealed = this.cipher.encrypt(key, value);
    const answer = await this.ask(() => this.redis.set(key, sealed, 'PX', Math.ceil(ttlMs), 'NX'));
    if (answer === undefined) return this.known.setIfAbsent(key, value, ttlMs);
    if (answer === null) return false;
    this.known.set(key, value, ttlMs);
    return true;
  }

  async raise(key: string, value: number, ttlMs: number): Promise<void> {
    this.raised.raise(key, value, ttlMs);
    await this.ask(() => this.raiseThere(key, value, ttlMs));
  }

  async delete(key: string): Promise<void> {
    this.known.delete(key);
    this.raised.delete(key);
    await this.ask(() => this.redis.del(key));
  }

  private async remember(key: string, value: string): Promise<void> {
    const ttlMs = await this.ask(() => this.redis.pttl(key));
    if (ttlMs !== undefined && ttlMs > 0) this.known.set(key, value, ttlMs);
  }

  /** Redis sees ciphertexts only and cannot compare: the comparison is here, and Redis makes sure that nobody came between. */
  private async raiseThere(key: string, value: number, ttlMs: number): Promise<true> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const found = (await this.redis.get(key)) ?? '';
      const there = found === '' ? undefined : this.cipher.decrypt(key, found);
      if (there !== undefined && Number(there) >= value) return true;
      const sealed = this.cipher.encrypt(key, String(value));
      if ((await this.redis.eval(REPLACE, 1, key, found, sealed, Math.ceil(ttlMs))) === 1) return true;
    }
    throw new Error('Others were always faster');
  }

  /** `undefined` when Redis does not answer: said once, until it is back. */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.isUp) return undefined;
    try {
      return await question();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private fail(error: unknown) {
    this.isUp = false;
    // A connection that was lost says itself when it is back.
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      if (this.redis.status === 'ready') void this.recover();
    }, PAUSE_MS).unref();
    if (this.hasSaid) return;
    this.hasSaid = true;
    this.logger.error(
      `Redis does not answer: this instance goes on with what it knows\n${describeError(error)}`,
    );
  }

  private async recover(): Promise<void> {
    try {
      for (const { key, value, ttlMs } of this.raised.entriesLeft())
        await this.raiseThere(key, Number(value), ttlMs);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.isUp = true;
    if (this.hasSaid) this.logger.log('Redis is back');
    this.hasSaid = false;
  }
}
