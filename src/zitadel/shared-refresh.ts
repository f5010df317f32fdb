import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { SharedState } from '../state/shared-state.js';
import { IdpUnavailable, RefreshRejected } from './oidc.errors.js';
import type { TokenSet } from './session-token.js';

/** How long requests that still carry the old cookie get the answer of the refresh they missed. */
export const ANSWER_KEPT_MS = 60_000;

/** How long nobody asks again after Zitadel could not be reached. */
export const RETRY_AFTER_MS = 2_000;

/** Longer than discovery, token and keys may take together: whoever holds the flight this long has died. */
const LEASE_MS = 20_000;

/** How long a request waits for the refresh of another instance. */
const PATIENCE_MS = 7_000;

const POLL_MS = 40;

type Landed = { tokens: TokenSet } | { failure: 'rejected' | 'unavailable' };

const UNDER_WAY = 'under way';

/** Makes one refresh of many: of all instances that want it, one asks, and its answer is kept for the others. */
@Injectable()
export class SharedRefresh {
  constructor(private readonly state: SharedState) {}

  /** @param name of the refresh token, which it must not give away */
  async once(name: string, ask: () => Promise<TokenSet>): Promise<TokenSet> {
    const key = keyOf(name);
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await wait(POLL_MS)) {
      if (await this.state.setIfAbsent(key, UNDER_WAY, LEASE_MS)) return this.fly(key, ask);
      const landed = await this.landed(key);
      if (landed) return tokensOf(landed);
    }
    throw new IdpUnavailable({ cause: new Error('Another instance has not finished the refresh') });
  }

  /** The answer to a refresh of the last minute, whichever instance made it. */
  async known(name: string): Promise<TokenSet | undefined> {
    const landed = await this.landed(keyOf(name));
    return landed && 'tokens' in landed ? landed.tokens : undefined;
  }

  private async fly(key: string, ask: () => Promise<TokenSet>): Promise<TokenSet> {
    try {
      const tokens = await ask();
      await this.land(key, { tokens }, ANSWER_KEPT_MS);
      return tokens;
    } catch (error) {
      const failure = this.isDoubtful(error) ? new IdpUnavailable({ cause: error }) : error;
      if (failure instanceof RefreshRejected) await this.land(key, { failure: 'rejected' }, ANSWER_KEPT_MS);
      else await this.land(key, { failure: 'unavailable' }, RETRY_AFTER_MS);
      throw failure;
    }
  }

  /**
   * Instances that did not see each other a moment ago may all have used a refresh token: then Zitadel refuses all but one,
   * and that must not be the end of the session.
   */
  private isDoubtful(error: unknown): boolean {
    return error instanceof RefreshRejected && this.state.sharedForMs < ANSWER_KEPT_MS;
  }

  private land(key: string, landed: Landed, ttlMs: number) {
    return this.state.set(key, JSON.stringify(landed), ttlMs);
  }

  private async landed(key: string): Promise<Landed | undefined> {
    const found = await this.state.get(key);
    return found === undefined || found === UNDER_WAY ? undefined : (JSON.parse(found) as Landed);
  }
}

function tokensOf(landed: Landed): TokenSet {
  if ('tokens' in landed) return landed.tokens;
  const cause = new Error('So another instance was told');
  throw landed.failure === 'rejected' ? new RefreshRejected({ cause }) : new IdpUnavailable({ cause });
}

const keyOf = (name: string) => `refresh:${name}`;
