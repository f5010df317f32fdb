import { hash } from 'node:crypto';
import {
  describeError,
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
import { AccessTokenRejected } from '../client/oidc.errors.js';
import { issuedAt } from './session-token.js';
import { TokenRefresher } from './token-refresher.js';

/** How long a page waits for Zitadel. The answer is there for the next one. */
const PATIENCE_MS = 2_000;

/** How long no page asks again after Zitadel did not answer. */
const RETRY_AFTER_SECONDS = 10;

/** Zitadel refuses good tokens while its database stumbles: one refusal proves nothing, two that far apart do… */
const REFUSALS_APART_SECONDS = 2;
/** …of a token at least this old: Zitadel may not know a new one everywhere. */
const TOKEN_SETTLES_SECONDS = 10;

/** Access tokens in use within a few minutes. */
const MAX_READINGS = 2_000;

/** What userinfo said, and the session with it. */
export interface ReadClaims {
  claims: ZitadelClaims;
  token: SessionToken;
}

/** What is known of one access token. Times are seconds since 1970. */
interface Reading {
  flight?: { read: Promise<ReadClaims>; startedAt: number } | undefined;
  /** the latest answer */
  user?: { is: AuthUser; readAt: number };
  /** no page asks before */
  retryAt: number;
  /** since when a refusal counts */
  refusedAt?: number | undefined;
}

/**
 * Keeps the user in a session as Zitadel has it: names, roles, organization and metadata are those of a userinfo answer, and
 * what is not in it is gone. Pages ask when the answer is older than `SESSION_CLAIMS_MAX_AGE` or than the access token.
 */
@Injectable()
export class ClaimsReload implements SessionReload {
  private readonly logger = new Logger('Userinfo');
  private readonly readings = new LRUCache<string, Reading>({ max: MAX_READINGS });
  private hasNoted = false;

  constructor(
    private readonly oidc: OidcClient,
    private readonly refresher: TokenRefresher,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'session'>,
  ) {}

  isDue(token: SessionToken): boolean {
    if (token.accessToken === undefined || !this.isOld(token)) return false;
    const reading = this.readings.get(nameOf(token.accessToken));
    return !reading || isReadAfter(token, reading) || !isPausing(reading);
  }

  async reload(token: SessionToken): Promise<SessionToken> {
    const reading = this.readingOf(token);
    const known = reading.user && withUser(token, reading.user);
    if (known && !this.isOld(known)) return known;
    if (isPausing(reading)) return known ?? token;
    try {
      const read = this.read(token);
      const waitedMs = performance.now() - (reading.flight?.startedAt ?? -Infinity);
      return (await within(PATIENCE_MS - waitedMs, read))?.token ?? token;
    } catch (error) {
      if (error instanceof SessionEnded) throw error;
      return token;
    }
  }

  isSuperseded(token: SessionToken): boolean {
    const reading = token.accessToken && this.readings.get(nameOf(token.accessToken));
    return reading ? isReadAfter(token, reading) : false;
  }

  /**
   * What Zitadel says at this moment, once for all who ask meanwhile. Throws `SessionEnded` when the session is over there,
   * and one of `oidc.errors.ts` when Zitadel does not say.
   */
  read(token: SessionToken): Promise<ReadClaims> {
    const reading = this.readingOf(token);
    if (!reading.flight) {
      const read = this.ask(token, reading).finally(() => (reading.flight = undefined));
      reading.flight = { read, startedAt: performance.now() };
    }
    return reading.flight.read;
  }

  private async ask(token: SessionToken, reading: Reading): Promise<ReadClaims> {
    const { accessToken, sub } = token;
    if (accessToken === undefined || sub === undefined) throw new SessionEnded('no_refresh');
    if (isRefusedNow(reading)) throw new AccessTokenRejected();
    try {
      const claims = await this.oidc.userinfo(accessToken, sub);
      this.hasNoted = false;
      await this.refresher.accepted(token);
      reading.refusedAt = undefined;
      reading.user = { is: userFrom(claims), readAt: Date.now() / 1000 };
      return { claims, token: withUser(token, reading.user) };
    } catch (error) {
      if (error instanceof AccessTokenRejected) return this.afterRefusal(token, reading, error);
      reading.retryAt = Date.now() / 1000 + RETRY_AFTER_SECONDS;
      this.noteFailure(error);
      throw error;
    }
  }

  /** A refresh ends the access token there was: the newer one is asked about, or the other of two. */
  private async afterRefusal(
    token: SessionToken,
    reading: Reading,
    cause: AccessTokenRejected,
  ): Promise<ReadClaims> {
    await this.refresher.newest(token);
    const newest = await this.refresher.afterRefusal(token);
    if (newest.accessToken !== token.accessToken) return this.read(newest);
    const now = Date.now() / 1000;
    if (reading.refusedAt !== undefined && !this.refresher.isInDoubt)
      throw new SessionEnded('revoked', { cause });
    reading.refusedAt = Math.max(now, issuedAt(token) + TOKEN_SETTLES_SECONDS);
    throw cause;
  }

  private isOld(token: SessionToken): boolean {
    const { claimsMaxAgeSeconds: maxAge } = this.options.session;
    const { accessTokenRenewedAt = 0 } = token;
    const readAt = readAtOf(token);
    return accessTokenRenewedAt > readAt || (maxAge > 0 && Date.now() / 1000 - readAt >= maxAge);
  }

  private readingOf({ accessToken = '' }: SessionToken): Reading {
    const name = nameOf(accessToken);
    const reading = this.readings.get(name) ?? { retryAt: 0 };
    this.readings.set(name, reading);
    return reading;
  }

  /** Once, until Zitadel answers again. */
  private noteFailure(error: unknown) {
    this.logger[this.hasNoted ? 'debug' : 'warn'](
      `Users were not read again: what is known of them counts\n${describeError(error)}`,
    );
    this.hasNoted = true;
  }
}

const withUser = (token: SessionToken, { is, readAt }: NonNullable<Reading['user']>): SessionToken => ({
  ...token,
  user: is,
  claimsReadAt: readAt,
});

const isReadAfter = (token: SessionToken, { user }: Reading) =>
  user !== undefined && user.readAt > readAtOf(token);

/** A sign-in reads the user, too. */
const readAtOf = ({ claimsReadAt, start = 0 }: SessionToken) => claimsReadAt ?? start;

const isPausing = (reading: Reading) => Date.now() / 1000 < reading.retryAt || isRefusedNow(reading);

const isRefusedNow = ({ refusedAt }: Reading) =>
  refusedAt !== undefined && Date.now() / 1000 < refusedAt + REFUSALS_APART_SECONDS;

const nameOf = (accessToken: string) => hash('sha256', accessToken, 'base64url');

/** What `promise` gives within that time, else `undefined`: then nobody is left to hear of its failure. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
