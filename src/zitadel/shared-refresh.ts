import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { SharedState } from '../state/shared-state.js';
import { IdpUnavailable, RefreshNotAllowed, RefreshRejected, type ClientRefusal } from './oidc.errors.js';
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

type Landed = { tokens: TokenSet } | { failure: 'rejected' | 'unavailable' | ClientRefusal };

const UNDER_WAY = 'under way';
const LANDED = 'landed';

/** Makes one refresh of many: of all instances that want it, one asks, and its answer is kept for the others. */
@Injectable()
export class SharedRefresh {
  constructor(private readonly state: SharedState) {}

  /** @param name of the refresh token, which it must not give away */
  async once(name: string, ask: () => Promise<TokenSet>): Promise<TokenSet> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await wait(POLL_MS)) {
      const landed = await this.landed(name);
      if (landed) return tokensOf(landed);
      if (await this.state.setIfAbsent(flightOf(name), UNDER_WAY, LEASE_MS)) return this.fly(name, ask);
    }
    throw new IdpUnavailable({ cause: new Error('Another instance has not finished the refresh') });
  }

  /** The answer to a refresh of the last minute, whichever instance made it. */
  async known(name: string): Promise<TokenSet | undefined> {
    const landed = await this.landed(name);
    return landed && 'tokens' in landed ? landed.tokens : undefined;
  }

  private async fly(name: string, ask: () => Promise<TokenSet>): Promise<TokenSet> {
    try {
      const tokens = await ask();
      await this.land(name, { tokens }, ANSWER_KEPT_MS);
      return tokens;
    } catch (error) {
      if (error instanceof RefreshRejected) return this.refused(name, error);
      if (error instanceof RefreshNotAllowed) {
        await this.land(name, { failure: error.refusal }, ANSWER_KEPT_MS);
        throw error;
      }
      await this.land(name, { failure: 'unavailable' }, RETRY_AFTER_MS);
      throw error;
    }
  }

  /**
   * Instances that did not see each other a moment ago may all have used a refresh token: then Zitadel refuses all but one,
   * and that must not be the end of the session.
   */
  private async refused(name: string, refusal: RefreshRejected): Promise<TokenSet> {
    await wait(this.state.settlesInMs);
    const told = await this.known(name);
    if (told) {
      await this.state.set(flightOf(name), LANDED, ANSWER_KEPT_MS);
      return told;
    }
    if (this.state.sharedForMs < ANSWER_KEPT_MS) {
      await this.land(name, { failure: 'unavailable' }, RETRY_AFTER_MS);
      throw new IdpUnavailable({ cause: refusal });
    }
    await this.land(name, { failure: 'rejected' }, ANSWER_KEPT_MS);
    throw refusal;
  }

  private async land(name: string, landed: Landed, ttlMs: number) {
    await this.state.set(answerTo(name), JSON.stringify(landed), ttlMs);
    await this.state.set(flightOf(name), LANDED, ttlMs);
  }

  private async landed(name: string): Promise<Landed | undefined> {
    const found = await this.state.get(answerTo(name));
    return found === undefined ? undefined : (JSON.parse(found) as Landed);
  }
}

function tokensOf(landed: Landed): TokenSet {
  if ('tokens' in landed) return landed.tokens;
  const cause = new Error('So another instance was told');
  if (landed.failure === 'rejected') throw new RefreshRejected({ cause });
  if (landed.failure === 'unavailable') throw new IdpUnavailable({ cause });
  throw new RefreshNotAllowed(landed.failure, { cause });
}

const flightOf = (name: string) => `refresh:${name}`;
const answerTo = (name: string) => `refreshed:${name}`;
