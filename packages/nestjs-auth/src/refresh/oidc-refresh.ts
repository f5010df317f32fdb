import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Account } from '@auth/core/types';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import { ProviderUnavailable, SessionEnded, isSessionEnded } from '../auth.errors.js';
import type { IAuthModuleOptions } from '../auth.options.js';
import type { SessionToken } from '../auth.types.js';
import { describeError } from '../http/error-chain.js';
import type { SessionRefresh } from '../session/session-extensions.js';
import { OidcTokenEndpoint } from './oidc-token-endpoint.js';
import { dueAt, issuedAt, tokenSetFrom, tokensIn, type TokenSet } from './token-set.js';

/** Token sets that late requests may still ask for. */
const MAX_ANSWERS = 5_000;

/** Backoff after a refresh that failed. */
const RETRY_AFTER_MS = 2_000;
const MAX_FAILURES = 1_000;

/** A token set always has a later time than the one it was refreshed from. */
const MIN_STEP_SECONDS = 0.001;

declare module '@auth/core/jwt' {
  interface JWT {
    /**
     * provider of the tokens of the session, and its `sub` for the user: the `jwt` callback may set another; `iss` of the ID token, which
     * may not be the issuer of the options: Microsoft's has the tenant of the user
     */
    tokensFrom?: { provider: string; sub: string; iss?: string | undefined };
  }
}

/**
 * Refreshes the tokens of sessions of OpenID providers. One request serves all concurrent requests with the same refresh token, and its
 * answer is kept for those that still send the cookie from before: a provider that rotates refresh tokens refuses the old one.
 */
export class OidcRefresh implements SessionRefresh {
  private readonly logger = new Logger('Refresh');
  private readonly endpoints = new Map<string, OidcTokenEndpoint>();
  private readonly inFlight = new Map<string, Promise<TokenSet>>();
  /** by the id of the token set that was refreshed */
  private readonly answers: LRUCache<string, TokenSet>;
  private readonly failures = new LRUCache<string, Error>({ max: MAX_FAILURES, ttl: RETRY_AFTER_MS });
  private isFailing = false;

  /** @param maxAgeSeconds for how long a browser can send a cookie from before a refresh */
  constructor(providers: IAuthModuleOptions['providers'], maxAgeSeconds: number) {
    this.answers = new LRUCache({ max: MAX_ANSWERS, ttl: Math.ceil(maxAgeSeconds * 1000) });
    for (const provider of providers) {
      const endpoint = OidcTokenEndpoint.of(provider);
      if (endpoint) this.endpoints.set(endpoint.providerId, endpoint);
    }
  }

  /**
   * Returns what the session of a sign-in holds for this class. `undefined` without a refresh token, and where the `jwt` callback has
   * stored that: such a program refreshes by itself.
   *
   * @param made what the `jwt` callback returned
   */
  tokensOf(account: Account, made: SessionToken): Partial<SessionToken> | undefined {
    const { provider, refresh_token: refreshToken, id_token: idToken, ...answer } = account;
    if (!this.endpoints.has(provider) || refreshToken === undefined || idToken === undefined)
      return undefined;
    if (JSON.stringify(made).includes(JSON.stringify(refreshToken).slice(1, -1))) return undefined;
    const { sub, iss } = decodeJwt(idToken);
    return {
      ...tokenSetFrom({ ...answer, refresh_token: refreshToken }),
      tokensFrom: { provider, sub: String(sub), iss },
    };
  }

  isDue(token: SessionToken): boolean {
    return token.tokensFrom !== undefined && isPast(dueAt(token));
  }

  async refresh(token: SessionToken): Promise<SessionToken> {
    const latest = this.latest(token);
    if (latest !== token && !this.isDue(latest)) return latest;
    return { ...token, ...(await this.refreshInFlight(latest)) };
  }

  isSuperseded(token: SessionToken): boolean {
    return token.tokensFrom !== undefined && this.answers.has(idOf(token));
  }

  private latest(token: SessionToken): SessionToken {
    let latest = token;
    for (let set = this.answers.get(idOf(token)); set; set = this.answers.get(idOf(latest)))
      latest = { ...token, ...set };
    return latest;
  }

  private refreshInFlight(token: SessionToken): Promise<TokenSet> {
    const id = idOf(token);
    const failure = this.failures.get(id);
    if (failure) throw failure;
    const inFlight = this.inFlight.get(id) ?? this.send(token, id).finally(() => this.inFlight.delete(id));
    this.inFlight.set(id, inFlight);
    return inFlight;
  }

  private async send(token: SessionToken, id: string): Promise<TokenSet> {
    const { refreshToken, tokensFrom } = token;
    const endpoint = this.endpoints.get(tokensFrom?.provider ?? '');
    if (!endpoint || !tokensFrom || refreshToken === undefined) throw new SessionEnded('no_refresh');
    try {
      const answer = await endpoint.refresh(refreshToken, tokensFrom);
      const accessTokenRenewedAt = Math.max(Date.now() / 1000, issuedAt(token) + MIN_STEP_SECONDS);
      const set = {
        ...tokensIn(token),
        ...tokenSetFrom({ ...answer, id_token: undefined }),
        accessTokenRenewedAt,
      };
      this.answers.set(id, set);
      this.isFailing = false;
      return set;
    } catch (error) {
      const failure = error as SessionEnded | ProviderUnavailable;
      const seconds = isSessionEnded(failure) ? 0 : (failure.retryAfterSeconds ?? 0);
      this.failures.set(id, failure, { ttl: Math.max(RETRY_AFTER_MS, seconds * 1000) });
      if (!isSessionEnded(failure)) this.reportOutage(failure);
      throw failure;
    }
  }

  /** During an outage every session that is due fails. */
  private reportOutage(failure: Error) {
    if (!this.isFailing)
      this.logger.error(
        `Could not refresh tokens: sessions stay, with old tokens\n${describeError(failure)}`,
      );
    this.isFailing = true;
  }
}

const isPast = (seconds: number | undefined) => seconds !== undefined && seconds <= Date.now() / 1000;

const idOf = ({ refreshToken, accessToken, accessTokenRenewedAt = 0 }: SessionToken): string =>
  hash('sha256', JSON.stringify([refreshToken, accessToken, accessTokenRenewedAt]), 'base64url');
