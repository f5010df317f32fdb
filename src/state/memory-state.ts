import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SharedState } from './shared-state.js';

/** About 20 MB. */
const MAX_ENTRIES = 100_000;

/** State of one process: gone when it ends, unknown to others. Answers at once. */
@Injectable()
export class MemoryState extends SharedState {
  private readonly logger = new Logger('State');
  private readonly entries: LRUCache<string, string | number>;
  private hasWarned = false;

  constructor(maxEntries = MAX_ENTRIES) {
    super();
    this.entries = new LRUCache<string, string | number>({
      // Not `max`, which takes the memory of all entries at once.
      maxSize: maxEntries,
      sizeCalculation: () => 1,
      dispose: (_value, _key, reason) => reason === 'evict' && this.warn(),
    });
  }

  override get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  get(key: string): string | undefined {
    return this.entries.get(key) as string | undefined;
  }

  set(key: string, value: string, ttlMs: number): void {
    this.entries.set(key, value, { ttl: ttlMs });
  }

  setIfAbsent(key: string, value: string, ttlMs: number): boolean {
    if (this.entries.has(key)) return false;
    this.set(key, value, ttlMs);
    return true;
  }

  raise(key: string, value: number, ttlMs: number): void {
    if (value > (this.raised(key) ?? -Infinity)) this.entries.set(key, value, { ttl: ttlMs });
  }

  raised(key: string): number | undefined {
    return this.entries.get(key) as number | undefined;
  }

  raisedHere(key: string): number | undefined {
    return this.raised(key);
  }

  keys(): Iterable<string> {
    return this.entries.keys();
  }

  /** Milliseconds until `key` is forgotten; 0 when it is. */
  ttlMs(key: string): number {
    return this.entries.getRemainingTTL(key);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  /** What is forgotten early may be that a session was ended. */
  private warn() {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn('The state in memory is full: the oldest of it is forgotten before its time');
  }
}
