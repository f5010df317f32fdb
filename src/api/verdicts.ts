import { LRUCache } from 'lru-cache';
import type { Caller } from './caller.js';

/** What Zitadel has said about a token. */
export interface Verdict {
  /** missing when the token is not valid here */
  caller?: Caller;
  /** milliseconds since 1970 */
  until: number;
}

/** The latest verdicts. Good and bad ones do not share their room: a flood of bad tokens pushes out no good one. */
export class Verdicts {
  private readonly accepted: LRUCache<string, Verdict>;
  private readonly refused: LRUCache<string, Verdict>;

  /** @param max of each kind */
  constructor(max: number) {
    this.accepted = new LRUCache({ max });
    this.refused = new LRUCache({ max });
  }

  get(key: string): Verdict | undefined {
    const verdict = this.accepted.get(key) ?? this.refused.get(key);
    return verdict && verdict.until > Date.now() ? verdict : undefined;
  }

  set(key: string, verdict: Verdict) {
    const [into, other] = verdict.caller ? [this.accepted, this.refused] : [this.refused, this.accepted];
    other.delete(key);
    into.set(key, verdict);
  }
}
