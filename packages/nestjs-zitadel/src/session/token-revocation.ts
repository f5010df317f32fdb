import { setTimeout as wait } from 'node:timers/promises';
import { describeError, type SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { OidcClient } from '../client/oidc.client.js';
import { TokenRefresher } from './token-refresher.js';

const RETRY_AFTER_MS = 2_000;

/** Sessions that have ended and whose cookies may still come. */
const MAX_SESSIONS = 5_000;

/**
 * Revokes the refresh tokens of sessions that have ended here or were replaced: Zitadel renews tokens after the end of its
 * own session, too, for 30 days unused.
 */
@Injectable()
export class TokenRevocation implements OnApplicationShutdown {
  private readonly logger = new Logger('Logout');
  private readonly stop = new AbortController();
  private readonly begun = new LRUCache<string, Promise<boolean>>({ max: MAX_SESSIONS });

  constructor(
    private readonly oidc: OidcClient,
    private readonly refresher: TokenRefresher,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'observer'>,
  ) {}

  /** Tells, without throwing, whether Zitadel did it at once; if not, it is asked once more. One question for each session. */
  revoke(token: SessionToken): Promise<boolean> {
    if (!token.refreshToken) return Promise.resolve(true);
    const name = token.jti ?? token.refreshToken;
    const begun = this.begun.get(name);
    if (begun) return begun;
    const first = this.attempt(token);
    this.begun.set(name, first);
    void first.then((isDone) => (isDone ? this.count('done') : this.tryAgain(token)));
    return first;
  }

  /** What waits to be tried again is left to the next visit of its cookie. */
  onApplicationShutdown() {
    this.stop.abort();
  }

  private async tryAgain(token: SessionToken) {
    const { signal } = this.stop;
    await wait(RETRY_AFTER_MS, undefined, { ref: false, signal }).catch(() => undefined);
    if (!signal.aborted) this.count((await this.attempt(token)) ? 'done' : 'failed');
  }

  private async attempt(token: SessionToken): Promise<boolean> {
    try {
      const newest = await this.refresher.newest(token);
      for (const { refreshToken } of [newest, ...this.refresher.rivals(newest)])
        if (refreshToken) await this.oidc.revoke(refreshToken);
      return true;
    } catch (error) {
      this.logger.warn(`The refresh token was not revoked\n${describeError(error)}`);
      return false;
    }
  }

  private count(result: 'done' | 'failed') {
    this.options.observer.refreshTokenRevoked?.(result);
  }
}
