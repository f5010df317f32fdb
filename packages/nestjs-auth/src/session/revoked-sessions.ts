import { LRUCache } from 'lru-cache';
import type { SessionToken } from '../auth.types.js';
import type { SessionRevocations } from './session-extensions.js';

/** Ended sessions of half a day, 2 MB. Beyond that the oldest end is forgotten. */
const MAX_SESSIONS = 20_000;

/** The sessions that were ended before their expiry, in the memory of this process. */
export class RevokedSessions implements SessionRevocations {
  /** by `jti` */
  private readonly ended: LRUCache<string, true>;

  /** @param maxLifetimeSeconds after which a session has ended in any case */
  constructor(maxLifetimeSeconds: number) {
    this.ended = new LRUCache({ max: MAX_SESSIONS, ttl: Math.ceil(maxLifetimeSeconds * 1000) });
  }

  isRevoked({ jti }: SessionToken): boolean {
    return this.ended.has(String(jti));
  }

  revoke({ jti }: SessionToken): Promise<boolean> {
    const isFirst = !this.ended.has(String(jti));
    this.ended.set(String(jti), true);
    return Promise.resolve(isFirst);
  }
}
