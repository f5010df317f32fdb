import { createHash } from 'node:crypto';
import { describeError, SessionEnded, type SessionRefresh, type SessionToken } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { OidcClient } from './oidc.client.js';
import { IdpUnavailable, RefreshRejected } from './oidc.errors.js';
import type { TokenSet } from './session-token.js';

/** How long requests that still carry the old cookie get the answer of the refresh they missed. */
const ANSWER_KEPT_MS = 60_000;

/** How long nobody asks again after Zitadel could not be reached. */
const RETRY_AFTER_MS = 2_000;

/** More than one process refreshes in a minute. */
const MAX_ANSWERS = 5_000;

/**
 * Renews the tokens of sessions. Zitadel rotates refresh tokens and gives no grace: whoever comes second with the old one
 * is refused. So there is one request for each refresh token, and its answer is kept for those who come late.
 */
@Injectable()
export class TokenRefresher implements SessionRefresh {
  private readonly logger = new Logger('Refresh');
  private readonly answers = new LRUCache<string, Promise<TokenSet>>({
    max: MAX_ANSWERS,
    ttl: ANSWER_KEPT_MS,
  });

  /** refresh tokens that were exchanged for others */
  private readonly usedUp = new LRUCache<string, true>({ max: MAX_ANSWERS, ttl: ANSWER_KEPT_MS });

  constructor(private readonly oidc: OidcClient) {}

  isDue({ refreshToken, accessTokenDueAt }: SessionToken): boolean {
    return (
      refreshToken !== undefined && accessTokenDueAt !== undefined && accessTokenDueAt * 1000 <= Date.now()
    );
  }

  async refresh(token: SessionToken): Promise<SessionToken> {
    const { refreshToken, sub } = token;
    if (!refreshToken || !sub) throw new SessionEnded('no_refresh');
    try {
      return { ...token, ...(await this.answer({ ...token, refreshToken, sub })) };
    } catch (error) {
      if (error instanceof RefreshRejected) throw new SessionEnded('refresh_rejected', { cause: error });
      throw error;
    }
  }

  /** The refresh token that `refreshToken` has become: a browser may sign out with a cookie that is a moment old. */
  async newest(refreshToken: string): Promise<string> {
    const tokens = await this.answers.get(fingerprint(refreshToken))?.catch(() => undefined);
    const next = tokens?.refreshToken;
    return next && next !== refreshToken ? this.newest(next) : refreshToken;
  }

  isSuperseded({ refreshToken }: SessionToken): boolean {
    return refreshToken !== undefined && this.usedUp.has(fingerprint(refreshToken));
  }

  /** Where refresh tokens are not rotated, a request may carry the very answer that is known: then there is another. */
  private async answer(token: Refreshable): Promise<TokenSet> {
    const key = fingerprint(token.refreshToken);
    const known = this.answers.get(key);
    if (!known) return this.ask(key, token);
    const tokens = await known;
    if (tokens.accessToken !== token.accessToken) return tokens;
    const latest = this.answers.get(key);
    return latest && latest !== known ? latest : this.ask(key, token);
  }

  private ask(key: string, { refreshToken, sub, idToken }: Refreshable): Promise<TokenSet> {
    const answer = this.oidc.refresh(refreshToken, sub, idToken);
    this.answers.set(key, answer);
    answer.then(
      (tokens) => tokens.refreshToken && tokens.refreshToken !== refreshToken && this.usedUp.set(key, true),
      (error: unknown) => {
        if (!(error instanceof IdpUnavailable)) return;
        this.logger.warn(`Tokens were not renewed\n${describeError(error)}`);
        this.answers.set(key, answer, { ttl: RETRY_AFTER_MS });
      },
    );
    return answer;
  }
}

type Refreshable = SessionToken & { refreshToken: string; sub: string };

const fingerprint = (refreshToken: string) => createHash('sha256').update(refreshToken).digest('base64url');
