import type { SessionRevocations, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { EVENT_PREFIX } from '../events/zitadel-event.js';
import { authenticatedAtIn } from '../claims/claims.js';
import { SharedState } from '../state/shared-state.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import { sessionIdOf } from './session-token.js';

/** Concurrent requests end the same session within this time: only the first reports it. */
const LEASE_MS = 60_000;

/** Zitadel sends a logout token within a second after a sign-out, and repeats it for half a minute. */
const LOGOUT_TOKEN_WINDOW_MS = 60_000;

/** A response with a cookie that is under way during an event. */
const MARGIN_SECONDS = 60;

/**
 * The sessions that were ended before their expiry: a single one by its id, those of a session at Zitadel by `sid`, and those of a user by
 * `sub` and time. An entry lives for the maximum lifetime of a session; that of an event, which may be about any session of the Zitadel
 * instance, for as long as the latest cookie: that of an ended session is not written again.
 */
@Injectable()
export class EndedSessions implements SessionRevocations {
  private readonly lifetimeMs: number;
  private readonly eventLifetimeMs: number;

  constructor(
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) { session }: ResolvedZitadelOptions,
  ) {
    this.lifetimeMs = session.maxDurationSeconds * 1000;
    this.eventLifetimeMs =
      Math.min(session.maxDurationSeconds, session.durationSeconds + MARGIN_SECONDS) * 1000;
  }

  isRevoked(token: SessionToken): boolean {
    if (this.state.get(sessionKey(token)) !== undefined) return true;
    if (token.sid !== undefined && this.state.get(sidKey(token.sid)) !== undefined) return true;
    const until = this.state.get(userKey(token.sub ?? ''));
    if (until !== undefined && !beganAfter(token, Number(until))) return true;
    return this.state.hasEvents() && this.isEndedByEvent(token);
  }

  private isEndedByEvent(token: SessionToken): boolean {
    if (token.sid !== undefined && this.state.get(eventKey(sidKey(token.sid))) !== undefined) return true;
    const changedAt = this.state.get(eventKey(userKey(token.sub ?? '')));
    return changedAt !== undefined && !loggedInAfter(token, Number(changedAt));
  }

  async revoke(token: SessionToken): Promise<boolean> {
    const isFirst = await this.state.acquireLease(sessionKey(token), LEASE_MS);
    await this.state.add(sessionKey(token), '1', this.lifetimeMs);
    return isFirst;
  }

  /**
   * Ends the sessions of the session `sid` at Zitadel. Resolves to `false` when they had ended before: by an earlier logout token, or by a
   * sign-out here.
   */
  async revokeSid(sid: string): Promise<boolean> {
    const isNew = !this.isSidEnded(sid) && this.state.get(signedOutKey(sid)) === undefined;
    await this.state.add(sidKey(sid), '1', this.lifetimeMs);
    return isNew;
  }

  /** As `revokeSid`, after an event of Zitadel. */
  async revokeSidByEvent(sid: string): Promise<boolean> {
    const isNew = !this.isSidEnded(sid) && this.state.get(signedOutKey(sid)) === undefined;
    await this.state.add(eventKey(sidKey(sid)), '1', this.eventLifetimeMs);
    return isNew;
  }

  /** A sign-out here causes a logout token of Zitadel for `sid`, which `revokeSid` does not report as a new end. */
  async expectLogoutToken(sid: string): Promise<void> {
    await this.state.add(signedOutKey(sid), '1', LOGOUT_TOKEN_WINDOW_MS);
  }

  /**
   * Ends every session of the user that began before `untilSeconds`. An earlier end stays valid.
   *
   * @param untilSeconds since 1970
   */
  async revokeUser(sub: string, untilSeconds: number): Promise<void> {
    await this.state.add(userKey(sub), String(untilSeconds), this.lifetimeMs, untilSeconds);
  }

  /**
   * Ends every session of a user who has logged in at Zitadel before an event. An earlier event stays valid.
   *
   * @param changedAt by Zitadel's clock, seconds since 1970
   */
  async revokeUserByEvent(sub: string, changedAt: number): Promise<void> {
    await this.state.add(eventKey(userKey(sub)), String(changedAt), this.eventLifetimeMs, changedAt);
  }

  private isSidEnded(sid: string): boolean {
    const key = sidKey(sid);
    return this.state.get(key) !== undefined || this.state.get(eventKey(key)) !== undefined;
  }
}

/** A session without a start may have begun before. */
const beganAfter = ({ start }: SessionToken, time: number) => typeof start === 'number' && start > time;

/** Both times are Zitadel's, but that of a login has no fraction: within one second the start of the session decides. */
function loggedInAfter(token: SessionToken, time: number): boolean {
  const authenticatedAt = authenticatedAtIn(token.idToken);
  if (authenticatedAt === undefined) return beganAfter(token, time + CLOCK_TOLERANCE_SECONDS);
  const second = Math.floor(time);
  return authenticatedAt > second || (authenticatedAt === second && beganAfter(token, time));
}

const eventKey = (key: string) => EVENT_PREFIX + key;

const sessionKey = (token: SessionToken) => `ended:session:${sessionIdOf(token)}`;
const sidKey = (sid: string) => `ended:sid:${sid}`;
const signedOutKey = (sid: string) => `signed-out:${sid}`;
const userKey = (sub: string) => `ended:user:${sub}`;
