import { BoundedMap } from '../storage/bounded-map.js';
import type { RefreshToken } from '../storage/provider.js';

const kept = 1000;

/**
 * The refresh tokens that were used a moment ago. Zitadel reads a refresh token and stores its successor without a
 * lock: uses that overlap are all answered, and only the pair stored last is good.
 */
export class RefreshRotation {
  private readonly used = new BoundedMap<string, { token: RefreshToken; at: number }>(kept);
  private readonly turns = new Map<string, Promise<unknown>>();

  /** `reuseMs`: how long after its use a token is answered again; null: not even while it is being used. */
  constructor(public reuseMs: number | null) {}

  /** One use of a token after the other. */
  async inTurn<Result>(id: string, run: () => Promise<Result>): Promise<Result> {
    const turn = (this.turns.get(id) ?? Promise.resolve()).then(run);
    const over = turn.catch(() => undefined);
    this.turns.set(id, over);
    try {
      return await turn;
    } finally {
      if (this.turns.get(id) === over) this.turns.delete(id);
    }
  }

  remember(id: string, token: RefreshToken): void {
    this.used.set(id, { token, at: performance.now() });
  }

  /** The token, if it may be used again by a request that arrived then (`performance.now()`). */
  usedJustBefore(id: string, arrivedAt: number): RefreshToken | undefined {
    const use = this.used.get(id);
    if (!use || this.reuseMs === null) return undefined;
    return arrivedAt <= use.at + this.reuseMs ? use.token : undefined;
  }
}
