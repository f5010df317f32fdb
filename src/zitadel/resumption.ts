import type { HttpRequest, SessionEnded, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { SharedState } from '../state/shared-state.js';
import { LoggedOutCookie } from './logged-out-cookie.js';
import { dueAt, sessionNameOf } from './session-token.js';

const MAX_DEPTH = 6;

/**
 * Goes on with sessions whose refresh token Zitadel does not know any more, though nobody has ended them: an answer may have been
 * lost with the instance that got it. Zitadel still knows the browser, and signs it in without a question.
 */
@Injectable()
export class Resumption {
  constructor(
    private readonly state: SharedState,
    private readonly loggedOut: LoggedOutCookie,
    @Inject(ENV) private readonly env: Pick<Env, 'session'>,
  ) {}

  /** What to ask Zitadel, once for each session; `undefined` where a person has to be told that it is over. */
  async paramsFor(
    ended: SessionEnded,
    token: SessionToken | null,
    request: HttpRequest,
  ): Promise<Record<string, string> | undefined> {
    if (!token || !isLostToken(ended) || !this.isRecent(token) || this.loggedOut.isIn(request))
      return undefined;
    const isFirst = await this.state.claim(`resumed:${sessionNameOf(token)}`, this.durationMs);
    const { username } = token.user ?? {};
    return isFirst ? { ...(username === undefined ? {} : { login_hint: username }) } : undefined;
  }

  private isRecent(token: SessionToken): boolean {
    return Date.now() - (dueAt(token) ?? 0) * 1000 < this.durationMs;
  }

  private get durationMs(): number {
    return this.env.session.durationSeconds * 1000;
  }
}

/** Zitadel says so of a refresh token that was used, revoked or too old: which of them, it does not say. */
function isLostToken({ reason, cause }: SessionEnded): boolean {
  if (reason !== 'refresh_rejected') return false;
  let at = cause as { cause?: unknown; error?: unknown; error_description?: unknown } | undefined;
  for (let depth = 0; at && depth < MAX_DEPTH; at = at.cause as typeof at, depth++)
    if (at.error === 'invalid_grant' || /RefreshTokenInvalid/.test(String(at.error_description))) return true;
  return false;
}
