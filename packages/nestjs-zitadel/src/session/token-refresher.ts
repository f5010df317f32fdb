import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError, SessionEnded, type SessionRefresh, type SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { OutageLog } from '../outage-log.js';
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
import { dueAt, issuedAt, sessionNameOf, tokensIn, type TokenSet } from './session-token.js';

/** How long nobody asks again after Zitadel could not be reached. */
const RETRY_AFTER_MS = 2_000;

/** How long nobody asks again after Zitadel refused, of which it may have to be told by its operator. */
const REFUSAL_KEPT_MS = 60_000;

/** Of a refresh: discovery, token, keys. */
const CALLS = 3;

/** For what is between the calls. */
const MARGIN_MS = 2_000;
const POLL_MS = 40;

/** How long it takes until an instance that was alone for a moment has told the others what it did. */
const SETTLES_MS = 2_000;

/** For how long after that a refusal may be the fault of another instance. */
const DOUBTS_MS = 60_000;

/** Clocks of instances differ, and what comes of tokens is later than they are. */
const MIN_STEP_SECONDS = 0.001;

/** Pairs that Zitadel has refused a moment ago. */
const MAX_REFUSED = 1_000;
const REFUSED_MS = 15_000;

/** The tokens of a session after a refresh. */
interface Pair extends TokenSet {
  /** names the tokens that were exchanged for these */
  from: string;
}

type Renewable = SessionToken & { refreshToken: string; sub: string };

/**
 * Renews the tokens of sessions. Zitadel rotates refresh tokens: who comes second with an old one is refused, or, within
 * milliseconds, is answered and makes the first answer worthless. So there is one request for each refresh token, and the latest
 * tokens of a session are kept for as long as a browser may come with older ones.
 */
@Injectable()
export class TokenRefresher implements SessionRefresh {
  private readonly logger = new Logger('Refresh');
  private readonly outage = new OutageLog(this.logger, 'Tokens were not renewed');
  private readonly flights = new Map<string, Promise<TokenSet>>();
  /** names of tokens of which Zitadel refuses the access token */
  private readonly refused = new LRUCache<string, true>({ max: MAX_REFUSED, ttl: REFUSED_MS });

  /** Why Zitadel lets this application renew no tokens; `undefined` while it does. */
  notAllowed: ClientRefusal | undefined;

  constructor(
    private readonly oidc: OidcClient,
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS)
    private readonly options: Pick<ResolvedZitadelOptions, 'session' | 'timeoutSeconds' | 'observer'>,
  ) {}

  isDue(token: SessionToken): boolean {
    return isPast(token.refreshToken === undefined ? token.accessTokenEndsAt : dueAt(token));
  }

  async refresh(token: SessionToken): Promise<SessionToken> {
    const latest = this.latest(token);
    if (latest !== token && !this.isDue(latest)) return latest;
    if (!isRenewable(latest)) throw new SessionEnded('no_refresh');
    try {
      return { ...token, ...(await this.renewed(latest)) };
    } catch (error) {
      if (error instanceof RefreshRejected) throw new SessionEnded('refresh_rejected', { cause: error });
      if (!(error instanceof RefreshNotAllowed)) throw error;
      // The access token is good until its end, and the application may be set right before.
      if (isPast(latest.accessTokenEndsAt ?? dueAt(latest)))
        throw new SessionEnded('no_refresh', { cause: error });
      return latest;
    }
  }

  /** With the tokens that those of a session have become, or are about to become: a browser may come with an older cookie. */
  async newest(token: SessionToken): Promise<SessionToken> {
    await Promise.allSettled([this.flights.get(nameOf(this.latest(token)))]);
    return this.latest(token);
  }

  isSuperseded(token: SessionToken): boolean {
    const name = nameOf(token);
    const isInDoubt = this.failureOf(name)?.kind === 'in_doubt';
    return isInDoubt || this.latest(token) !== token || this.refused.has(name);
  }

  /** Tokens that came of the same refresh token as these, which instances that did not hear each other have each exchanged. */
  rivals(token: SessionToken): TokenSet[] {
    const pairs = this.pairsOf(token);
    const own = pairs.find((pair) => nameOf(pair) === nameOf(token));
    return pairs.filter((pair) => pair !== own && pair.from === own?.from);
  }

  /**
   * Zitadel refuses an access token that is not due. The session goes on with those of a rival, where they are good; else
   * returns `token`, which is given to no browser until it is accepted.
   */
  async afterRefusal(token: SessionToken): Promise<SessionToken> {
    const rival = await this.firstGood(
      token,
      this.rivals(token).filter((pair) => !this.isDue({ ...token, ...pair })),
    );
    if (!rival) this.refused.set(nameOf(token), true);
    return rival ?? this.latest(token);
  }

  /** Whether what Zitadel refuses may be the fault of instances that did not hear each other a moment ago. */
  get isInDoubt(): boolean {
    return this.state.sharedForMs < DOUBTS_MS;
  }

  /** Zitadel takes the access token: where that of a rival was thought to be the later one, it is not. */
  async accepted(token: SessionToken): Promise<void> {
    this.refused.delete(nameOf(token));
    const latest = nameOf(this.latest(token));
    if (this.rivals(token).some((rival) => nameOf(rival) === latest)) await this.promote(token, token);
  }

  /** With the latest tokens this instance knows of. */
  private latest(token: SessionToken): SessionToken {
    const [found] = this.state.all(pairsKey(token));
    return found && found.rank > issuedAt(token) ? { ...token, ...tokensIn(pairIn(found.value)) } : token;
  }

  private get timeoutMs(): number {
    return this.options.timeoutSeconds * 1000;
  }

  private renewed(token: Renewable): Promise<TokenSet> {
    const name = nameOf(token);
    const under = this.flights.get(name);
    if (under) return under;
    const flight = this.renewedOnce(token, name).finally(() => this.flights.delete(name));
    this.flights.set(name, flight);
    return flight;
  }

  /** Of all instances one asks Zitadel; the others, as long as one call may take, wait for what it makes known. */
  private async renewedOnce(token: Renewable, name: string): Promise<TokenSet> {
    for (
      const end = performance.now() + this.timeoutMs + MARGIN_MS;
      performance.now() < end;
      await wait(POLL_MS)
    ) {
      const latest = this.latest(token);
      if (latest !== token) return tokensIn(latest);
      const failure = this.failureOf(name);
      if (failure) throw errorFrom(failure);
      // An instance that holds the lease for longer has died.
      if (await this.state.acquireLease(leaseKey(name), CALLS * this.timeoutMs + MARGIN_MS))
        return this.exchanged(token, name);
    }
    const doubt = new RefreshInDoubt({ cause: new Error('Another instance has not finished the refresh') });
    await this.note(doubt, name);
    throw doubt;
  }

  private async exchanged(token: Renewable, name: string): Promise<TokenSet> {
    const whose = { sub: token.sub, sid: sidIn(token.idToken) };
    try {
      const tokens = await this.asked(token, name);
      this.notAllowed = undefined;
      this.options.observer.refreshed?.('renewed', whose);
      return tokens;
    } catch (error) {
      this.options.observer.refreshed?.(resultOf(failureIn(error)), whose);
      if (error instanceof RefreshNotAllowed) this.noteNotAllowed(error);
      else if (error instanceof IdpUnavailable) this.outage.failed(error);
      await this.note(error, name);
      await this.state.releaseLease(leaseKey(name));
      throw error;
    }
  }

  /** For all who come with the same tokens: none of them waits again for what one has waited for. */
  private note(error: unknown, name: string) {
    return this.state.add(failureKey(name), JSON.stringify(failureIn(error)), keptMs(error));
  }

  private async asked(token: Renewable, name: string): Promise<TokenSet> {
    let tokens: TokenSet;
    try {
      tokens = await this.oidc.refresh(token.refreshToken, token.sub, token.idToken);
    } catch (error) {
      if (error instanceof RefreshRejected) return this.afterRejection(token, error);
      throw error;
    }
    const at = Math.max(Date.now() / 1000, issuedAt(token) + MIN_STEP_SECONDS);
    const pair = { ...tokensIn(token), ...tokens, accessTokenRenewedAt: at, from: name };
    // While instances do not hear each other, another may have exchanged the refresh token in the same moment, and later.
    const isGood = this.state.isShared || (await this.isGood({ ...token, ...tokens }).catch(() => true));
    await this.keep(token, pair, isGood ? at : issuedAt(token) - MIN_STEP_SECONDS);
    if (!isGood)
      throw new RefreshInDoubt({ cause: new Error('Another instance has used the refresh token') });
    return tokensIn(pair);
  }

  /** Another instance may have exchanged the refresh token, or one of two answers was worthless: that must not end the session. */
  private async afterRejection(token: SessionToken, refusal: RefreshRejected): Promise<TokenSet> {
    if (!isUnknownToken(refusal)) throw refusal;
    if (this.state.isShared && this.state.sharedForMs !== Infinity) await wait(SETTLES_MS);
    const other = await this.firstGood(token, this.pairsOf(token));
    if (other) return tokensIn(other);
    if (this.isInDoubt) throw new RefreshInDoubt({ cause: refusal });
    throw refusal;
  }

  /** The first of the tokens known of a session, other than these, that Zitadel takes: the access token, or where that is due the refresh token. */
  private async firstGood(
    token: SessionToken,
    pairs: readonly TokenSet[],
  ): Promise<SessionToken | undefined> {
    for (const pair of pairs) {
      const other = { ...token, ...tokensIn(pair) };
      if (nameOf(other) === nameOf(token)) continue;
      const good = this.isDue(other) ? await this.exchangedIfGood(other) : await this.isGood(other);
      if (!good) continue;
      await this.promote(token, good === true ? other : good);
      return this.latest(token);
    }
    return undefined;
  }

  private async exchangedIfGood(token: SessionToken): Promise<SessionToken | undefined> {
    try {
      const tokens = await this.oidc.refresh(String(token.refreshToken), String(token.sub), token.idToken);
      return { ...token, ...tokens };
    } catch (error) {
      if (error instanceof RefreshRejected) return undefined;
      throw error;
    }
  }

  /** From now on these are the latest tokens of the session. */
  private promote(token: SessionToken, tokens: SessionToken) {
    const at = Math.max(...[token, tokens, this.latest(token)].map(issuedAt)) + MIN_STEP_SECONDS;
    return this.keep(token, { ...tokensIn(tokens), accessTokenRenewedAt: at, from: nameOf(token) }, at);
  }

  /** Throws `IdpUnavailable` where Zitadel does not say. */
  private async isGood({ accessToken, sub }: SessionToken): Promise<boolean> {
    try {
      await this.oidc.userinfo(String(accessToken), String(sub));
      return true;
    } catch (error) {
      if (error instanceof AccessTokenRejected) return false;
      throw error;
    }
  }

  private failureOf(name: string): Failure | undefined {
    const found = this.state.get(failureKey(name));
    return found === undefined ? undefined : (JSON.parse(found) as Failure);
  }

  private keep(token: SessionToken, pair: Pair, rank: number) {
    const { durationSeconds } = this.options.session;
    return this.state.add(pairsKey(token), JSON.stringify(pair), durationSeconds * 1000, rank);
  }

  private pairsOf(token: SessionToken): Pair[] {
    return this.state.all(pairsKey(token)).map(({ value }) => pairIn(value));
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

/** What an instance makes known of a refresh that failed. */
interface Failure {
  kind: 'rejected' | 'unknown_token' | 'unavailable' | 'in_doubt' | ClientRefusal;
  said: string;
  /** where Zitadel has asked to be left alone until then, milliseconds since 1970 */
  retryAt?: number;
}

/** For how long nobody asks again. */
function keptMs(error: unknown): number {
  if (!(error instanceof IdpUnavailable)) return REFUSAL_KEPT_MS;
  return Math.max(RETRY_AFTER_MS, (error.retryAfterSeconds ?? 0) * 1000);
}

function failureIn(error: unknown): Failure {
  const said = `${hostname()} was told: ${describeError(error)}`;
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

const isRenewable = (token: SessionToken): token is Renewable => Boolean(token.refreshToken && token.sub);

const isPast = (seconds: number | undefined) => seconds !== undefined && seconds * 1000 <= Date.now();

const pairIn = (value: string) => JSON.parse(value) as Pair;

/** Names tokens; where refresh tokens are not rotated, the access token tells one generation from the next. */
const nameOf = ({ refreshToken, accessToken }: TokenSet) =>
  hash('sha256', JSON.stringify([refreshToken, accessToken]), 'base64url');

const pairsKey = (token: SessionToken) => `tokens:${sessionNameOf(token)}`;
const failureKey = (name: string) => `refresh-failed:${name}`;
const leaseKey = (name: string) => `refresh:${name}`;
