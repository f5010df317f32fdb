import { hash } from 'node:crypto';
import {
  describeError,
  isSessionEnded,
  SessionEnded,
  type AuthUser,
  type SessionReload,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { userFrom, type ZitadelClaims } from '../claims/claims.js';
import { OidcClient } from '../client/oidc.client.js';
import { withActiveOrganization } from '../organizations/acting.js';
import { ChosenOrganizations } from '../organizations/chosen-organizations.js';
import { AccessTokenRejected } from '../client/oidc.errors.js';
import { RequestedReloads } from './requested-reloads.js';
import { issuedAt } from './session-token.js';
import { TokenRefresher } from './token-refresher.js';

/** How long a page waits for userinfo. A later response is used for the next page. */
const TIMEOUT_MS = 2_000;

/** Pause after a request without a response of Zitadel. */
const RETRY_AFTER_SECONDS = 10;

/** Zitadel rejects valid tokens while its database has a problem: only two rejections with this distance end a session… */
const REJECTIONS_APART_SECONDS = 2;
/** …of a token of at least this age: Zitadel replicates a new one with a delay. */
const REPLICATION_SECONDS = 10;

/** Access tokens whose userinfo is cached. */
const MAX_CACHED = 2_000;

/** A userinfo response, and the session token updated from it. */
export interface ReadClaims {
  claims: ZitadelClaims;
  token: SessionToken;
}

interface InFlight {
  result: Promise<ReadClaims>;
  sentAt: number;
  /** `performance.now()` */
  startedAt: number;
}

/** The userinfo state of one access token. Times are seconds since 1970. */
interface UserinfoState {
  inFlight?: InFlight | undefined;
  /** of the latest request with a response; `readAt` is when it was sent, because a change may come before the response */
  user?: { value: AuthUser; readAt: number };
  /** no page sends a request before */
  retryAt: number;
  /** when the first of two rejections was received */
  rejectedAt?: number | undefined;
}

/**
 * Reloads the user of a session from userinfo: names, roles, organization and metadata are replaced by those of the response. Due when the
 * last response is older than `claimsMaxAgeSeconds`, than the access token, or than a change that an event of Zitadel has reported.
 */
@Injectable()
export class ClaimsReload implements SessionReload {
  private readonly logger = new Logger('Userinfo');
  private readonly states = new LRUCache<string, UserinfoState>({ max: MAX_CACHED });
  private isFailureLogged = false;

  constructor(
    private readonly oidc: OidcClient,
    private readonly refresher: TokenRefresher,
    private readonly requested: RequestedReloads,
    private readonly chosen: ChosenOrganizations,
    @Inject(ZITADEL_OPTIONS)
    private readonly options: Pick<ResolvedZitadelOptions, 'session' | 'organizations'>,
  ) {}

  isDue(token: SessionToken): boolean {
    if (token.accessToken === undefined || !this.isOld(token)) return false;
    const state = this.states.get(hashOf(token.accessToken));
    return !state || isNewerThan(token, state) || !isPaused(state);
  }

  async reload(token: SessionToken): Promise<SessionToken> {
    const state = this.stateOf(token);
    const cached = state.user && this.withUser(token, state.user);
    if (cached && !this.isOld(cached)) return cached;
    if (isPaused(state)) return cached ?? token;
    try {
      const result = this.read(token);
      const waitedMs = performance.now() - (state.inFlight?.startedAt ?? -Infinity);
      return (await withTimeout(TIMEOUT_MS - waitedMs, result))?.token ?? token;
    } catch (error) {
      if (isSessionEnded(error)) throw error;
      return token;
    }
  }

  isSuperseded(token: SessionToken): boolean {
    const state = token.accessToken && this.states.get(hashOf(token.accessToken));
    return this.chosen.isSuperseded(token) || (state ? isNewerThan(token, state) : false);
  }

  /**
   * Requests userinfo now: one in-flight request for all callers with the same access token, until an event has reported a change.
   *
   * @throws `SessionEnded` when Zitadel has ended the session; an error of `oidc.errors.ts` when that is unknown
   */
  read(token: SessionToken): Promise<ReadClaims> {
    const state = this.stateOf(token);
    const { inFlight } = state;
    if (inFlight && !this.requested.isSince(token, inFlight.sentAt)) return inFlight.result;
    const sentAt = Date.now() / 1000;
    const result = this.request(token, state, sentAt).finally(() => {
      if (state.inFlight?.result === result) state.inFlight = undefined;
    });
    state.inFlight = { result, sentAt, startedAt: performance.now() };
    return result;
  }

  private async request(token: SessionToken, state: UserinfoState, sentAt: number): Promise<ReadClaims> {
    const { accessToken, sub } = token;
    if (accessToken === undefined || sub === undefined) throw new SessionEnded('no_refresh');
    if (isRejectedNow(state)) throw new AccessTokenRejected();
    try {
      const claims = await this.oidc.userinfo(accessToken, sub);
      this.isFailureLogged = false;
      await this.refresher.reportAccepted(token);
      state.rejectedAt = undefined;
      const user = { value: userFrom(claims), readAt: sentAt };
      if (!state.user || state.user.readAt <= sentAt) state.user = user;
      return { claims, token: this.withUser(token, state.user) };
    } catch (error) {
      if (error instanceof AccessTokenRejected) return this.handleRejection(token, state, error);
      state.retryAt = Date.now() / 1000 + RETRY_AFTER_SECONDS;
      this.logFailure(error);
      throw error;
    }
  }

  /** Another request may have refreshed the tokens, which invalidates this access token: then userinfo is requested with the newest one. */
  private async handleRejection(
    token: SessionToken,
    state: UserinfoState,
    cause: AccessTokenRejected,
  ): Promise<ReadClaims> {
    await this.refresher.newest(token);
    const newest = await this.refresher.replaceRejected(token);
    if (newest.accessToken !== token.accessToken) return this.read(newest);
    const now = Date.now() / 1000;
    if (state.rejectedAt !== undefined && !this.refresher.isInDoubt)
      throw new SessionEnded('revoked', { cause });
    state.rejectedAt = Math.max(now, issuedAt(token) + REPLICATION_SECONDS);
    throw cause;
  }

  private withUser(token: SessionToken, { value, readAt }: NonNullable<UserinfoState['user']>): SessionToken {
    return withActiveOrganization(
      { ...this.chosen.latest(token), user: value, claimsReadAt: readAt },
      this.options.organizations,
    );
  }

  private isOld(token: SessionToken): boolean {
    const { claimsMaxAgeSeconds: maxAge } = this.options.session;
    const { accessTokenRenewedAt = 0 } = token;
    const readAt = readAtOf(token);
    return (
      accessTokenRenewedAt > readAt ||
      (maxAge > 0 && Date.now() / 1000 - readAt >= maxAge) ||
      this.requested.isDue(token, readAt)
    );
  }

  private stateOf({ accessToken = '' }: SessionToken): UserinfoState {
    const key = hashOf(accessToken);
    const state = this.states.get(key) ?? { retryAt: 0 };
    this.states.set(key, state);
    return state;
  }

  /** Logs a failure once until a request succeeds; further ones on level `debug`. */
  private logFailure(error: unknown) {
    this.logger[this.isFailureLogged ? 'debug' : 'warn'](
      `Could not reload users from userinfo: sessions keep the known roles, next attempt in ${RETRY_AFTER_SECONDS} s\n${describeError(error)}`,
    );
    this.isFailureLogged = true;
  }
}

const isNewerThan = (token: SessionToken, { user }: UserinfoState) =>
  user !== undefined && user.readAt > readAtOf(token);

/** Without a reload, the user was read at sign-in. */
const readAtOf = ({ claimsReadAt, start = 0 }: SessionToken) => claimsReadAt ?? start;

const isPaused = (state: UserinfoState) => Date.now() / 1000 < state.retryAt || isRejectedNow(state);

const isRejectedNow = ({ rejectedAt }: UserinfoState) =>
  rejectedAt !== undefined && Date.now() / 1000 < rejectedAt + REJECTIONS_APART_SECONDS;

const hashOf = (accessToken: string) => hash('sha256', accessToken, 'base64url');

/** Resolves to `undefined` when `promise` takes longer; its later rejection is ignored. */
async function withTimeout<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
