import { hash } from 'node:crypto';
import { describeError, SessionEnded, type SessionRefresh, type SessionToken } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { OidcClient } from './oidc.client.js';
import { IdpUnavailable, RefreshNotAllowed, RefreshRejected, type ClientRefusal } from './oidc.errors.js';
import { dueAt, type TokenSet } from './session-token.js';
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

  /** Why Zitadel lets this application renew no tokens; `undefined` while it does. */
  notAllowed: ClientRefusal | undefined;

  isDue(token: SessionToken): boolean {
    return isPast(token.refreshToken === undefined ? token.accessTokenEndsAt : dueAt(token));
  }

  async refresh(token: SessionToken): Promise<SessionToken> {
    const { refreshToken, sub } = token;
    if (!refreshToken || !sub) throw new SessionEnded('no_refresh');
    try {
      return { ...token, ...(await this.answer({ ...token, refreshToken, sub })) };
    } catch (error) {
      if (error instanceof RefreshRejected) throw new SessionEnded('refresh_rejected', { cause: error });
      if (!(error instanceof RefreshNotAllowed)) throw error;
      // The access token is good until its end, and the application may be set right before.
      if (isPast(token.accessTokenEndsAt ?? dueAt(token)))
        throw new SessionEnded('no_refresh', { cause: error });
      return token;
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
      () => {
        this.usedUp.set(name, true);
        this.notAllowed = undefined;
      },
      (error: unknown) => {
        if (error instanceof RefreshNotAllowed) return this.noteNotAllowed(error);
        if (!(error instanceof IdpUnavailable)) return;
        this.logger.warn(`Tokens were not renewed\n${describeError(error)}`);
        this.answers.set(name, answer, { ttl: RETRY_AFTER_MS });
      },
    );
    return answer;
  }

  /** Once, until tokens are renewed again. */
  private noteNotAllowed(error: RefreshNotAllowed) {
    const isNews = this.notAllowed !== error.refusal;
    this.notAllowed = error.refusal;
    this.logger[isNews ? 'error' : 'debug'](
      `No tokens are renewed, sessions end with their access token: ${cures[error.refusal]}\n${describeError(error)}`,
    );
  }
}

const cures: Record<ClientRefusal, string> = {
  unauthorized_client: 'tick "Refresh Token" among the grant types of the application in Zitadel',
  invalid_client:
    'compare ZITADEL_CLIENT_ID, ZITADEL_CLIENT_SECRET and the authentication method with the application in Zitadel, which has to be active',
};

const isPast = (seconds: number | undefined) => seconds !== undefined && seconds * 1000 <= Date.now();

type Refreshable = SessionToken & { refreshToken: string; sub: string };

/** Names the tokens of a session; where refresh tokens are not rotated, the access token tells one generation from the next. */
const nameOf = ({ refreshToken, accessToken }: SessionToken) =>
  hash('sha256', JSON.stringify([refreshToken, accessToken]), 'base64url');
