import type { SessionRevocations, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import type { Eventual } from '../state/eventual.js';
import { SharedState } from '../state/shared-state.js';

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
    @Inject(ENV) { session }: Env,
  ) {
    this.lifetimeMs = session.maxDurationSeconds * 1000;
  }

  isRevoked(token: SessionToken): Eventual<boolean> {
    if (this.state.isEmpty) return false;
    const found = keysOf(token).map((key) => this.state.raised(key));
    return found.every(isThere)
      ? isEnded(token, found)
      : Promise.all(found.map((answer) => Promise.resolve(answer))).then((all) => isEnded(token, all));
  }

  isKnownToBeRevoked(token: SessionToken): boolean {
    return isEnded(
      token,
      keysOf(token).map((key) => this.state.raisedHere(key)),
    );
  }

  async revoke(token: SessionToken): Promise<void> {
    await this.state.raise(sessionKey(token), 1, this.lifetimeMs);
  }

  /**
   * Ends the sessions that began with the session `sid` at Zitadel. Tells whether there may have been any: one that was ended
   * before has none, nor has one that was just signed out of here.
   */
  async revokeSid(sid: string): Promise<boolean> {
    const isNews =
      (await this.state.raised(sidKey(sid))) === undefined &&
      (await this.state.get(signedOutKey(sid))) === undefined;
    await this.state.raise(sidKey(sid), 1, this.lifetimeMs);
    return isNews;
  }

  /** Notes that Zitadel is about to say what is known here: a browser signs out of its session there. */
  async noteSignOut(sid: string): Promise<void> {
    await this.state.set(signedOutKey(sid), '1', SIGN_OUT_NOTED_MS);
  }

  /**
   * Ends every session of the user that has begun until then; what was ended before stays ended.
   *
   * @param untilSeconds since 1970
   */
  async revokeUser(sub: string, untilSeconds: number): Promise<void> {
    await this.state.raise(userKey(sub), untilSeconds, this.lifetimeMs);
  }
}

type Found = number | undefined;

const isThere = (answer: Eventual<Found>): answer is Found => !(answer instanceof Promise);

/** In the order of `keysOf`: of the user, seconds since 1970, and sessions that began later live. */
function isEnded({ start }: SessionToken, [session, userUntil, atZitadel]: Found[]): boolean {
  if (session !== undefined || atZitadel !== undefined) return true;
  // A session that does not say when it began may have begun before.
  return userUntil !== undefined && !(typeof start === 'number' && start > userUntil);
}

const keysOf = (token: SessionToken) => [
  sessionKey(token),
  userKey(token.sub ?? ''),
  ...(token.sid ? [sidKey(token.sid)] : []),
];

/** Cookies from before sessions had an id are told apart by their user and their start. */
const sessionKey = ({ jti, sub, start }: SessionToken) => `ended:session:${jti ?? `${sub}@${String(start)}`}`;
const sidKey = (sid: string) => `ended:sid:${sid}`;
const signedOutKey = (sid: string) => `signed-out:${sid}`;
const userKey = (sub: string) => `ended:user:${sub}`;
