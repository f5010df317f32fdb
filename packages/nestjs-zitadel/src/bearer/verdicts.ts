import { LRUCache } from 'lru-cache';
import type { Caller } from './caller.js';

/** Zitadel calls good tokens inactive while its database stumbles: nothing of that is kept of one that was in use so lately. */
const IN_USE_MS = 10_000;

/** What Zitadel has said about a token. */
export interface Verdict {
  /** missing when the token is not valid here */
  caller?: Caller;
  /** milliseconds since 1970 */
  until: number;
}

/** The latest verdicts. Good and bad ones do not share their room: a flood of bad tokens pushes out no good one. */
export class Verdicts {
  private readonly accepted: LRUCache<string, Verdict & { usedAt: number }>;
  private readonly refused: LRUCache<string, Verdict>;

  /** @param max of each kind */
  constructor(max: number) {
    this.accepted = new LRUCache({ max });
    this.refused = new LRUCache({ max });
  }

  get(key: string): Verdict | undefined {
    const now = Date.now();
    const good = this.accepted.get(key);
    const verdict = good ?? this.refused.get(key);
    if (!verdict || verdict.until <= now) return undefined;
    if (good) good.usedAt = now;
    return verdict;
  }

  set(key: string, verdict: Verdict) {
    if (verdict.caller) {
      this.refused.delete(key);
      this.accepted.set(key, { ...verdict, usedAt: Date.now() });
      return;
    }
    const good = this.accepted.get(key);
    if (good && Date.now() - good.usedAt < IN_USE_MS) good.until = 0;
    else {
      this.accepted.delete(key);
      this.refused.set(key, verdict);
    }
  }
}
