import { BoundedMap } from '../storage/bounded-map.js';
import type { RefreshToken } from '../storage/provider.js';

const maxEntries = 1000;

/**
 * The recently used refresh tokens. Zitadel reads a refresh token and stores its successor without a lock: overlapping
 * uses all succeed, and only the token pair that was stored last is valid.
 */
export class RefreshRotation {
  private readonly used = new BoundedMap<string, { token: RefreshToken; at: number }>(maxEntries);
  private readonly queues = new Map<string, Promise<unknown>>();

  /** `reuseMs`: for how long after its use a refresh token may be used again; null: overlapping uses fail, too. */
  constructor(public reuseMs: number | null) {}

  /** Runs the uses of one refresh token one after the other. */
  async runExclusive<Result>(id: string, run: () => Promise<Result>): Promise<Result> {
    const result = (this.queues.get(id) ?? Promise.resolve()).then(run);
    const settled = result.catch(() => undefined);
    this.queues.set(id, settled);
    try {
      return await result;
    } finally {
      if (this.queues.get(id) === settled) this.queues.delete(id);
    }
  }

  recordUse(id: string, token: RefreshToken): void {
    this.used.set(id, { token, at: performance.now() });
  }

  /** The refresh token, if a request that arrived at `arrivedAt` (`performance.now()`) may use it again. */
  findReusable(id: string, arrivedAt: number): RefreshToken | undefined {
    const use = this.used.get(id);
    if (!use || this.reuseMs === null) return undefined;
    return arrivedAt <= use.at + this.reuseMs ? use.token : undefined;
  }
}
