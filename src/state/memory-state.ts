import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SharedState } from './shared-state.js';

/** About 20 MB. */
const MAX_ENTRIES = 100_000;

/** State of one process: gone when it ends, unknown to others. Answers at once. */
@Injectable()
export class MemoryState extends SharedState {
  private readonly logger = new Logger('State');
  private readonly entries: LRUCache<string, string>;
  private hasWarned = false;

  constructor(maxEntries = MAX_ENTRIES) {
    super();
    this.entries = new LRUCache<string, string>({
      max: maxEntries,
      dispose: (_value, _key, reason) => reason === 'evict' && this.warn(),
    });
  }

  override get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  get(key: string): string | undefined {
    return this.entries.get(key);
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
    const known = Number(this.entries.get(key) ?? -Infinity);
    if (value > known) this.set(key, String(value), ttlMs);
  }

  /** What is there, with the milliseconds it has left. */
  *entriesLeft(): Iterable<{ key: string; value: string; ttlMs: number }> {
    for (const [key, value] of this.entries) yield { key, value, ttlMs: this.entries.getRemainingTTL(key) };
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
