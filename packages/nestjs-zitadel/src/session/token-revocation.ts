import { setTimeout as wait } from 'node:timers/promises';
import { describeError, type SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { OidcClient } from '../client/oidc.client.js';
import { TokenRefresher } from './token-refresher.js';

const RETRY_AFTER_MS = 2_000;

/** Ended sessions whose revocation was started: their cookies may still arrive. */
const MAX_SESSIONS = 5_000;

/**
 * Revokes the refresh tokens of sessions that were ended or replaced here. Zitadel does not revoke them when its session ends, and accepts an
 * unused one for 30 days.
 */
@Injectable()
export class TokenRevocation implements OnApplicationShutdown {
  private readonly logger = new Logger('Logout');
  private readonly stop = new AbortController();
  private readonly started = new LRUCache<string, Promise<boolean>>({ max: MAX_SESSIONS });

  constructor(
    private readonly oidc: OidcClient,
    private readonly refresher: TokenRefresher,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'observer'>,
  ) {}

  /** Resolves to whether the first attempt succeeded, and never rejects. After a failure there is a second attempt. Runs once per session. */
  revoke(token: SessionToken): Promise<boolean> {
    if (!token.refreshToken) return Promise.resolve(true);
    const id = token.jti ?? token.refreshToken;
    const started = this.started.get(id);
    if (started) return started;
    const first = this.attempt(token, `next attempt in ${RETRY_AFTER_MS / 1000} s`);
    this.started.set(id, first);
    void first.then((isDone) => (isDone ? this.count('done') : this.retry(token)));
    return first;
  }

  /** Cancels pending second attempts: the next request with the cookie starts a new revocation, on another instance. */
  onApplicationShutdown() {
    this.stop.abort();
  }

  private async retry(token: SessionToken) {
    const { signal } = this.stop;
    await wait(RETRY_AFTER_MS, undefined, { ref: false, signal }).catch(() => undefined);
    if (!signal.aborted)
      this.count((await this.attempt(token, 'it stays valid until Zitadel expires it')) ? 'done' : 'failed');
  }

  private async attempt(token: SessionToken, consequence: string): Promise<boolean> {
    try {
      const newest = await this.refresher.newest(token);
      for (const { refreshToken } of [newest, ...this.refresher.concurrentSets(newest)])
        if (refreshToken) await this.oidc.revoke(refreshToken);
      return true;
    } catch (error) {
      this.logger.warn(
        `Could not revoke a refresh token at Zitadel: ${consequence}\n${describeError(error)}`,
      );
      return false;
    }
  }

  private count(result: 'done' | 'failed') {
    this.options.observer.refreshTokenRevoked?.(result);
  }
}
