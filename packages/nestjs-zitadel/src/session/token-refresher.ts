import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError, SessionEnded, type SessionRefresh, type SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { OutageLog } from '../log/outage-log.js';
import { SharedState } from '../state/shared-state.js';
import { sidIn } from '../claims/claims.js';
import { OidcClient } from '../client/oidc.client.js';
import {
  AccessTokenRejected,
  IdpUnavailable,
  isUnknownToken,
  RefreshInDoubt,
  RefreshNotAllowed,
  RefreshRejected,
  type ClientRefusal,
} from '../client/oidc.errors.js';
import { dueAt, issuedAt, sessionIdOf, tokensIn, type TokenSet } from './session-token.js';

/** Backoff after a refresh without a response of Zitadel. */
const RETRY_AFTER_MS = 2_000;

/** Backoff after a refusal, which an operator may have to fix. */
const REFUSAL_BACKOFF_MS = 60_000;

/** Requests of a refresh: discovery, token, keys. */
const REQUESTS = 3;

/** For the time between these requests. */
const MARGIN_MS = 2_000;
const POLL_MS = 40;

/** How long an instance that has lost Redis for a moment needs to publish its pending writes. */
const SYNCHRONIZATION_MS = 2_000;

/** How long after an outage of Redis a refusal may be caused by another instance. */
const DOUBT_MS = 60_000;

/** A token set always has a later time than the one it was refreshed from, even where the clocks of instances differ. */
const MIN_STEP_SECONDS = 0.001;

/** Token sets whose access token Zitadel has rejected in the last seconds. */
const MAX_REJECTED = 1_000;
const REJECTED_TTL_MS = 15_000;

/** The result of a refresh, as it is stored in the shared state. */
interface RefreshedSet extends TokenSet {
  /** id of the token set that was refreshed */
  from: string;
}

type Refreshable = SessionToken & { refreshToken: string; sub: string };

/**
 * Refreshes the tokens of sessions. Zitadel rotates refresh tokens: a second request with the same one is refused, or, within milliseconds, is
 * accepted and invalidates the tokens of the first. Therefore a lease allows one request for each refresh token, over all instances, and the
 * latest token set of a session is stored for as long as a browser may send a cookie with an older one.
 */
@Injectable()
export class TokenRefresher implements SessionRefresh, OnApplicationShutdown {
  private readonly logger = new Logger('Refresh');
  private readonly outage = new OutageLog(this.logger, 'Could not refresh tokens');
  private readonly inFlight = new Map<string, Promise<TokenSet>>();
  /** ids of token sets whose access token Zitadel rejects */
  private readonly rejected = new LRUCache<string, true>({ max: MAX_REJECTED, ttl: REJECTED_TTL_MS });

  /** Why Zitadel refuses refreshes of this application; `undefined` after the next successful one. */
  clientRefusal: ClientRefusal | undefined;

  constructor(
    private readonly oidc: OidcClient,
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS)
    private readonly options: Pick<ResolvedZitadelOptions, 'session' | 'timeoutSeconds' | 'observer'>,
  ) {}

  onApplicationShutdown() {
    this.outage.end();
  }

  isDue(token: SessionToken): boolean {
    return isPast(token.refreshToken === undefined ? token.accessTokenEndsAt : dueAt(token));
  }

  async refresh(token: SessionToken): Promise<SessionToken> {
    const latest = this.latest(token);
    if (latest !== token && !this.isDue(latest)) return latest;
    if (!isRefreshable(latest)) throw new SessionEnded('no_refresh');
    try {
      return { ...token, ...(await this.refreshInFlight(latest)) };
    } catch (error) {
      if (error instanceof RefreshRejected) throw new SessionEnded('refresh_rejected', { cause: error });
      if (!(error instanceof RefreshNotAllowed)) throw error;
      // The access token works until its expiry, and an operator may fix the application before that.
      if (isPast(latest.accessTokenEndsAt ?? dueAt(latest)))
        throw new SessionEnded('no_refresh', { cause: error });
      return latest;
    }
  }

  /** Returns the token with the latest token set of its session, after a refresh in flight: a browser may send an older cookie. */
  async newest(token: SessionToken): Promise<SessionToken> {
    await Promise.allSettled([this.inFlight.get(idOf(this.latest(token)))]);
    return this.latest(token);
  }

  isSuperseded(token: SessionToken): boolean {
    const id = idOf(token);
    const isInDoubt = this.failureOf(id)?.kind === 'in_doubt';
    return isInDoubt || this.latest(token) !== token || this.rejected.has(id);
  }

  /** Returns the other token sets that were refreshed from the same one: by instances that had no connection to a shared Redis. */
  concurrentSets(token: SessionToken): TokenSet[] {
    const sets = this.storedSets(token);
    const own = sets.find((set) => idOf(set) === idOf(token));
    return sets.filter((set) => set !== own && set.from === own?.from);
  }

  /**
   * Replaces the token set of a session whose access token Zitadel rejects although it is not due, by a concurrent one that Zitadel accepts.
   * Without one, returns the latest set, and no response sets a cookie with the rejected one for a while.
   */
  async replaceRejected(token: SessionToken): Promise<SessionToken> {
    const accepted = await this.firstAccepted(
      token,
      this.concurrentSets(token).filter((set) => !this.isDue({ ...token, ...set })),
    );
    if (!accepted) this.rejected.set(idOf(token), true);
    return accepted ?? this.latest(token);
  }

  /** Whether a refusal may be caused by another instance: Redis was not available until a moment ago. */
  get isInDoubt(): boolean {
    return this.state.sharedForMs < DOUBT_MS;
  }

  /** Zitadel has accepted the access token: its set becomes the latest of the session, where a concurrent set was before. */
  async reportAccepted(token: SessionToken): Promise<void> {
    this.rejected.delete(idOf(token));
    const latest = idOf(this.latest(token));
    if (this.concurrentSets(token).some((set) => idOf(set) === latest)) await this.promote(token, token);
  }

  /** Returns the token with the latest token set that this instance knows. */
  private latest(token: SessionToken): SessionToken {
    const [found] = this.state.all(setsKey(token));
    return found && found.rank > issuedAt(token) ? { ...token, ...tokensIn(parsedSet(found.value)) } : token;
  }

  private get timeoutMs(): number {
    return this.options.timeoutSeconds * 1000;
  }

  private refreshInFlight(token: Refreshable): Promise<TokenSet> {
    const id = idOf(token);
    const inFlight = this.inFlight.get(id);
    if (inFlight) return inFlight;
    const refresh = this.refreshWithLease(token, id).finally(() => this.inFlight.delete(id));
    this.inFlight.set(id, refresh);
    return refresh;
  }

  /** The instance with the lease sends the request. The others wait for its result in the shared state, for the timeout of one request. */
  private async refreshWithLease(token: Refreshable, id: string): Promise<TokenSet> {
    for (
      const end = performance.now() + this.timeoutMs + MARGIN_MS;
      performance.now() < end;
      await wait(POLL_MS)
    ) {
      const latest = this.latest(token);
      if (latest !== token) return tokensIn(latest);
      const failure = this.failureOf(id);
      if (failure) throw errorFrom(failure);
      // After this time the lease expires: an instance that still holds it has crashed.
      if (await this.state.acquireLease(leaseKey(id), REQUESTS * this.timeoutMs + MARGIN_MS))
        return this.refreshAndReport(token, id);
    }
    const doubt = new RefreshInDoubt({
      cause: new Error('Another instance holds the lease and has not finished its refresh'),
    });
    await this.storeFailure(doubt, id);
    throw doubt;
  }

  private async refreshAndReport(token: Refreshable, id: string): Promise<TokenSet> {
    const owner = { sub: token.sub, sid: sidIn(token.idToken) };
    try {
      const tokens = await this.refreshAndStore(token, id);
      this.clientRefusal = undefined;
      this.options.observer.refreshed?.('renewed', owner);
      return tokens;
    } catch (error) {
      this.options.observer.refreshed?.(resultOf(failureFrom(error)), owner);
      if (error instanceof RefreshNotAllowed) this.reportClientRefusal(error);
      else if (error instanceof IdpUnavailable) this.outage.failed(error);
      await this.storeFailure(error, id);
      await this.state.releaseLease(leaseKey(id));
      throw error;
    }
  }

  /** Stores a failure for all requests with the same token set: until the backoff has passed, they fail at once. */
  private storeFailure(error: unknown, id: string) {
    return this.state.add(failureKey(id), JSON.stringify(failureFrom(error)), backoffMs(error));
  }

  private async refreshAndStore(token: Refreshable, id: string): Promise<TokenSet> {
    let tokens: TokenSet;
    try {
      tokens = await this.oidc.refresh(token.refreshToken, token.sub, token.idToken);
    } catch (error) {
      if (error instanceof RefreshRejected) return this.handleRejection(token, error);
      throw error;
    }
    const at = Math.max(Date.now() / 1000, issuedAt(token) + MIN_STEP_SECONDS);
    const set = { ...tokensIn(token), ...tokens, accessTokenRenewedAt: at, from: id };
    // Without Redis another instance may have used the refresh token within the same milliseconds, which invalidates these tokens.
    const isValid = this.state.isShared || (await this.isAccepted({ ...token, ...tokens }).catch(() => true));
    await this.store(token, set, isValid ? at : issuedAt(token) - MIN_STEP_SECONDS);
    if (!isValid)
      throw new RefreshInDoubt({ cause: new Error('Another instance has used the same refresh token') });
    return tokensIn(set);
  }

  /** A refresh token that another instance has used must not end the session: its token set may be in the shared state, or arrive there. */
  private async handleRejection(token: SessionToken, refusal: RefreshRejected): Promise<TokenSet> {
    if (!isUnknownToken(refusal)) throw refusal;
    if (this.state.isShared && this.state.sharedForMs !== Infinity) await wait(SYNCHRONIZATION_MS);
    const other = await this.firstAccepted(token, this.storedSets(token));
    if (other) return tokensIn(other);
    if (this.isInDoubt) throw new RefreshInDoubt({ cause: refusal });
    throw refusal;
  }

  /** Makes the first other token set that Zitadel accepts the latest of the session. A set that is due is refreshed to find out. */
  private async firstAccepted(
    token: SessionToken,
    sets: readonly TokenSet[],
  ): Promise<SessionToken | undefined> {
    for (const set of sets) {
      const other = { ...token, ...tokensIn(set) };
      if (idOf(other) === idOf(token)) continue;
      const accepted = this.isDue(other) ? await this.refreshIfAccepted(other) : await this.isAccepted(other);
      if (!accepted) continue;
      await this.promote(token, accepted === true ? other : accepted);
      return this.latest(token);
    }
    return undefined;
  }

  private async refreshIfAccepted(token: SessionToken): Promise<SessionToken | undefined> {
    try {
      const tokens = await this.oidc.refresh(String(token.refreshToken), String(token.sub), token.idToken);
      return { ...token, ...tokens };
    } catch (error) {
      if (error instanceof RefreshRejected) return undefined;
      throw error;
    }
  }

  /** Stores a token set as the latest of the session. */
  private promote(token: SessionToken, tokens: SessionToken) {
    const at = Math.max(...[token, tokens, this.latest(token)].map(issuedAt)) + MIN_STEP_SECONDS;
    return this.store(token, { ...tokensIn(tokens), accessTokenRenewedAt: at, from: idOf(token) }, at);
  }

  /**
   * Whether userinfo accepts the access token.
   *
   * @throws `IdpUnavailable`
   */
  private async isAccepted({ accessToken, sub }: SessionToken): Promise<boolean> {
    try {
      await this.oidc.userinfo(String(accessToken), String(sub));
      return true;
    } catch (error) {
      if (error instanceof AccessTokenRejected) return false;
      throw error;
    }
  }

  private failureOf(id: string): Failure | undefined {
    const found = this.state.get(failureKey(id));
    return found === undefined ? undefined : (JSON.parse(found) as Failure);
  }

  private store(token: SessionToken, set: RefreshedSet, rank: number) {
    const { durationSeconds } = this.options.session;
    return this.state.add(setsKey(token), JSON.stringify(set), durationSeconds * 1000, rank);
  }

  private storedSets(token: SessionToken): RefreshedSet[] {
    return this.state.all(setsKey(token)).map(({ value }) => parsedSet(value));
  }

  /** Logs a refusal of this application once until a refresh succeeds; further ones on level `debug`. */
  private reportClientRefusal(error: RefreshNotAllowed) {
    const isNew = this.clientRefusal !== error.refusal;
    this.clientRefusal = error.refusal;
    this.logger[isNew ? 'error' : 'debug'](
      `Zitadel refuses refreshes of this application, so sessions end with their access token: ${cures[error.refusal]}\n${describeError(error)}`,
    );
  }
}

const cures: Record<ClientRefusal, string> = {
  unauthorized_client: 'tick "Refresh Token" among the grant types of the application in Zitadel',
  invalid_client:
    'compare ZITADEL_CLIENT_ID, ZITADEL_CLIENT_SECRET and the authentication method with the application in Zitadel, and check that it is active',
};

/** A failed refresh, as it is stored in the shared state. */
interface Failure {
  kind: 'rejected' | 'unknown_token' | 'unavailable' | 'in_doubt' | ClientRefusal;
  /** of the instance that has sent the request */
  said: string;
  /** end of the `Retry-After` of Zitadel, milliseconds since 1970 */
  retryAt?: number;
}

function backoffMs(error: unknown): number {
  if (!(error instanceof IdpUnavailable)) return REFUSAL_BACKOFF_MS;
  return Math.max(RETRY_AFTER_MS, (error.retryAfterSeconds ?? 0) * 1000);
}

function failureFrom(error: unknown): Failure {
  const said = `The refresh of instance ${hostname()} failed: ${describeError(error)}`;
  if (error instanceof RefreshNotAllowed) return { kind: error.refusal, said };
  if (error instanceof RefreshInDoubt) return { kind: 'in_doubt', said };
  if (error instanceof RefreshRejected)
    return { kind: isUnknownToken(error) ? 'unknown_token' : 'rejected', said };
  const { retryAfterSeconds: seconds } = error as { retryAfterSeconds?: number };
  return {
    kind: 'unavailable',
    said,
    ...(seconds === undefined ? {} : { retryAt: Date.now() + seconds * 1000 }),
  };
}

function resultOf({ kind }: Failure) {
  if (kind === 'invalid_client' || kind === 'unauthorized_client') return 'not_allowed';
  return kind === 'unknown_token' ? 'rejected' : kind;
}

function errorFrom({ kind, said, retryAt }: Failure): Error {
  const cause = new Error(said);
  if (kind === 'rejected') return new RefreshRejected({ cause });
  if (kind === 'unknown_token')
    return new RefreshRejected({ cause: Object.assign(cause, { error: 'invalid_grant' }) });
  if (kind === 'unavailable') {
    const seconds = retryAt === undefined ? undefined : Math.ceil((retryAt - Date.now()) / 1000);
    return new IdpUnavailable({ cause, retryAfterSeconds: seconds });
  }
  if (kind === 'in_doubt') return new RefreshInDoubt({ cause });
  return new RefreshNotAllowed(kind, { cause });
}

const isRefreshable = (token: SessionToken): token is Refreshable => Boolean(token.refreshToken && token.sub);

const isPast = (seconds: number | undefined) => seconds !== undefined && seconds * 1000 <= Date.now();

const parsedSet = (value: string) => JSON.parse(value) as RefreshedSet;

/** Identifies a token set. Includes the access token, for a provider that does not rotate refresh tokens. */
const idOf = ({ refreshToken, accessToken }: TokenSet) =>
  hash('sha256', JSON.stringify([refreshToken, accessToken]), 'base64url');

const setsKey = (token: SessionToken) => `tokens:${sessionIdOf(token)}`;
const failureKey = (id: string) => `refresh-failed:${id}`;
const leaseKey = (id: string) => `refresh:${id}`;
