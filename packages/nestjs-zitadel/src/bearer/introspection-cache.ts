import { LRUCache } from 'lru-cache';
import type { TokenFacts } from '../tokens/presented-token.js';
import type { Caller } from './caller.js';

/** A token used within this time is not cached as inactive: Zitadel calls good tokens inactive while its database has a problem. */
const RECENTLY_USED_MS = 10_000;

/** The result of an introspection. */
export interface IntrospectionResult {
  /** missing when the token is not valid here */
  caller?: Caller;
  /** of a token that is not valid here */
  refused?: TokenFacts;
  /** milliseconds since 1970 */
  expiresAt: number;
}

/** Caches introspection results. Active and inactive tokens have separate limits: a flood of bad tokens evicts no good one. */
export class IntrospectionCache {
  private readonly active: LRUCache<string, IntrospectionResult & { usedAt: number }>;
  private readonly inactive: LRUCache<string, IntrospectionResult>;

  /** @param max entries of each kind */
  constructor(max: number) {
    this.active = new LRUCache({ max });
    this.inactive = new LRUCache({ max });
  }

  get(key: string): IntrospectionResult | undefined {
    const now = Date.now();
    const active = this.active.get(key);
    const result = active ?? this.inactive.get(key);
    if (!result || result.expiresAt <= now) return undefined;
    if (active) active.usedAt = now;
    return result;
  }

  set(key: string, result: IntrospectionResult) {
    if (result.caller) {
      this.inactive.delete(key);
      this.active.set(key, { ...result, usedAt: Date.now() });
      return;
    }
    const active = this.active.get(key);
    if (active && Date.now() - active.usedAt < RECENTLY_USED_MS) active.expiresAt = 0;
    else {
      this.active.delete(key);
      this.inactive.set(key, result);
    }
  }
}
