import type { SessionRevocations, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { sessionIdOf } from './session-token.js';

/** Concurrent requests end the same session within this time: only the first reports it. */
const LEASE_MS = 60_000;

/** Zitadel sends a logout token within a second after a sign-out, and repeats it for half a minute. */
const LOGOUT_TOKEN_WINDOW_MS = 60_000;

/**
 * The sessions that were ended before their expiry: a single one by its id, those of a session at Zitadel by `sid`, and those of a user by
 * `sub` and time. An entry lives for the maximum lifetime of a session.
 */
@Injectable()
export class EndedSessions implements SessionRevocations {
  private readonly lifetimeMs: number;

  constructor(
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) { session }: ResolvedZitadelOptions,
  ) {
    this.lifetimeMs = session.maxDurationSeconds * 1000;
  }

  isRevoked(token: SessionToken): boolean {
    if (this.state.get(sessionKey(token)) !== undefined) return true;
    if (token.sid !== undefined && this.state.get(sidKey(token.sid)) !== undefined) return true;
    const until = this.state.get(userKey(token.sub ?? ''));
    // A session without a start may have begun before.
    return until !== undefined && !(typeof token.start === 'number' && token.start > Number(until));
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
    const isNew =
      this.state.get(sidKey(sid)) === undefined && this.state.get(signedOutKey(sid)) === undefined;
    await this.state.add(sidKey(sid), '1', this.lifetimeMs);
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
}

const sessionKey = (token: SessionToken) => `ended:session:${sessionIdOf(token)}`;
const sidKey = (sid: string) => `ended:sid:${sid}`;
const signedOutKey = (sid: string) => `signed-out:${sid}`;
const userKey = (sub: string) => `ended:user:${sub}`;
