import { hash } from 'node:crypto';
import type { SessionRevocations, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import type { Eventual } from '../state/eventual.js';
import { SharedState } from '../state/shared-state.js';

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
    const { sid, sub } = token;
    const session = this.state.get(sessionKey(token));
    const atZitadel = sid ? this.state.get(sidKey(sid)) : undefined;
    const user = sub ? this.state.get(userKey(sub)) : undefined;
    return isThere(session) && isThere(atZitadel) && isThere(user)
      ? isEnded(token, session, atZitadel, user)
      : Promise.all([session, atZitadel, user].map((answer) => Promise.resolve(answer))).then((found) =>
          isEnded(token, ...(found as [Found, Found, Found])),
        );
  }

  async revoke(token: SessionToken): Promise<void> {
    await this.state.raise(sessionKey(token), 1, this.lifetimeMs);
  }

  /** Ends the sessions that began with the session `sid` at Zitadel. */
  async revokeSid(sid: string): Promise<void> {
    await this.state.raise(sidKey(sid), 1, this.lifetimeMs);
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

type Found = string | undefined;

const isThere = (answer: Eventual<Found>): answer is Found => !(answer instanceof Promise);

/** @param userUntil seconds since 1970: sessions of the user that began later live */
function isEnded({ start }: SessionToken, session: Found, atZitadel: Found, userUntil: Found): boolean {
  if (session !== undefined || atZitadel !== undefined) return true;
  // A session that does not say when it began may have begun before.
  return userUntil !== undefined && !(typeof start === 'number' && start > Number(userUntil));
}

/** Cookies from before sessions had an id are told apart by their user and their start. */
const sessionKey = ({ jti, sub, start }: SessionToken) => key('session', jti ?? `${sub}@${String(start)}`);
const sidKey = (sid: string) => key('sid', sid);
const userKey = (sub: string) => key('user', sub);

/** Whoever reads the store learns no name. */
const key = (kind: string, name: string) => `ended:${kind}:${hash('sha256', name, 'base64url')}`;
