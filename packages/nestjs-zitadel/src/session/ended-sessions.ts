import type { SessionRevocations, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { sessionNameOf } from './session-token.js';

/** Requests of a session that ends come within moments. */
const LEASE_MS = 60_000;

/** Zitadel tells within a second, and tries for half a minute. */
const SIGN_OUT_NOTED_MS = 60_000;

/**
 * Which sessions were ended before their time: one by its own id, those of a session at Zitadel by its `sid`, those of
 * a user by a time. An entry lives as long as the sessions it ends could.
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
    // A session that does not say when it began may have begun before.
    return until !== undefined && !(typeof token.start === 'number' && token.start > Number(until));
  }

  async revoke(token: SessionToken): Promise<boolean> {
    const isFirst = await this.state.acquireLease(sessionKey(token), LEASE_MS);
    await this.state.add(sessionKey(token), '1', this.lifetimeMs);
    return isFirst;
  }

  /**
   * Ends the sessions that began with the session `sid` at Zitadel. Tells whether there may have been any: one that was ended
   * before has none, nor has one that was just signed out of here.
   */
  async revokeSid(sid: string): Promise<boolean> {
    const isNews =
      this.state.get(sidKey(sid)) === undefined && this.state.get(signedOutKey(sid)) === undefined;
    await this.state.add(sidKey(sid), '1', this.lifetimeMs);
    return isNews;
  }

  /** Notes that Zitadel is about to say what is known here: a browser signs out of its session there. */
  async noteSignOut(sid: string): Promise<void> {
    await this.state.add(signedOutKey(sid), '1', SIGN_OUT_NOTED_MS);
  }

  /**
   * Ends every session of the user that has begun until then; what was ended before stays ended.
   *
   * @param untilSeconds since 1970
   */
  async revokeUser(sub: string, untilSeconds: number): Promise<void> {
    await this.state.add(userKey(sub), String(untilSeconds), this.lifetimeMs, untilSeconds);
  }
}

const sessionKey = (token: SessionToken) => `ended:session:${sessionNameOf(token)}`;
const sidKey = (sid: string) => `ended:sid:${sid}`;
const signedOutKey = (sid: string) => `signed-out:${sid}`;
const userKey = (sub: string) => `ended:user:${sub}`;
