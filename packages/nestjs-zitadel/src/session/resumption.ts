import type { HttpRequest, SessionEnded, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { LoggedOutCookie } from '../sign-out/logged-out-cookie.js';
import { isUnknownToken } from '../client/oidc.errors.js';
import { dueAt, sessionNameOf } from './session-token.js';

/** A session that falls due so soon after a sign-in would lead to the next: the browser would go round in circles. */
const MIN_AGE_SECONDS = 30;

/**
 * Goes on with sessions whose refresh token Zitadel does not know any more, though nobody has ended them: an answer may have been
 * lost with the instance that got it. Zitadel still knows the browser, and signs it in without a question.
 */
@Injectable()
export class Resumption {
  constructor(
    private readonly state: SharedState,
    private readonly loggedOut: LoggedOutCookie,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'session'>,
  ) {}

  /** What to ask Zitadel, once for each session; `undefined` where a person has to be told that it is over. */
  async paramsFor(
    ended: SessionEnded,
    token: SessionToken | null,
    request: HttpRequest,
  ): Promise<Record<string, string> | undefined> {
    if (
      !token ||
      ended.reason !== 'refresh_rejected' ||
      !isUnknownToken(ended.cause) ||
      !this.isRecent(token) ||
      this.loggedOut.isIn(request)
    )
      return undefined;
    // Without a hint Zitadel would sign in whoever is signed in there by now, without a question.
    const { username } = token.user ?? {};
    const isFirst = await this.state.acquireLease(`resumed:${sessionNameOf(token)}`, this.durationMs);
    return isFirst && username !== undefined ? { login_hint: username } : undefined;
  }

  private isRecent(token: SessionToken): boolean {
    const now = Date.now() / 1000;
    const isOld = now - (token.start ?? now) >= MIN_AGE_SECONDS;
    return isOld && now - (dueAt(token) ?? 0) < this.durationMs / 1000;
  }

  private get durationMs(): number {
    return this.options.session.durationSeconds * 1000;
  }
}
