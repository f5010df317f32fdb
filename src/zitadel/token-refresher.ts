import { hash } from 'node:crypto';
import { describeError, SessionEnded, type SessionRefresh, type SessionToken } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { OidcClient } from './oidc.client.js';
import { IdpUnavailable, RefreshRejected } from './oidc.errors.js';
import type { TokenSet } from './session-token.js';
import { ANSWER_KEPT_MS, RETRY_AFTER_MS, SharedRefresh } from './shared-refresh.js';

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

  /** tokens that were exchanged for others */
  private readonly usedUp = new LRUCache<string, true>({ max: MAX_ANSWERS, ttl: ANSWER_KEPT_MS });

  constructor(
    private readonly oidc: OidcClient,
    private readonly shared: SharedRefresh,
  ) {}

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

  /** With the tokens that those of a session have become: a browser may come with a cookie that is a moment old. */
  async newest(token: SessionToken): Promise<SessionToken> {
    const name = nameOf(token);
    const tokens = await (this.answers.get(name)?.catch(() => undefined) ?? this.shared.known(name));
    const next = { ...token, ...tokens };
    return nameOf(next) === name ? token : this.newest(next);
  }

  isSuperseded(token: SessionToken): boolean {
    return token.refreshToken !== undefined && this.usedUp.has(nameOf(token));
  }

  private answer(token: Refreshable): Promise<TokenSet> {
    const name = nameOf(token);
    return this.answers.get(name) ?? this.ask(name, token);
  }

  private ask(name: string, { refreshToken, sub, idToken }: Refreshable): Promise<TokenSet> {
    const answer = this.shared.once(name, () => this.oidc.refresh(refreshToken, sub, idToken));
    this.answers.set(name, answer);
    answer.then(
      () => this.usedUp.set(name, true),
      (error: unknown) => {
        if (!(error instanceof IdpUnavailable)) return;
        this.logger.warn(`Tokens were not renewed\n${describeError(error)}`);
        this.answers.set(name, answer, { ttl: RETRY_AFTER_MS });
      },
    );
    return answer;
  }
}

type Refreshable = SessionToken & { refreshToken: string; sub: string };

/** Names the tokens of a session; where refresh tokens are not rotated, the access token tells one generation from the next. */
const nameOf = ({ refreshToken, accessToken }: SessionToken) =>
  hash('sha256', JSON.stringify([refreshToken, accessToken]), 'base64url');
