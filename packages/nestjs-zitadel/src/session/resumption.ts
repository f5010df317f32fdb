import type { HttpRequest, SessionEnded, SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { ChosenOrganizations } from '../organizations/chosen-organizations.js';
import { SharedState } from '../state/shared-state.js';
import { LoggedOutCookie } from '../sign-out/logged-out-cookie.js';
import { isUnknownToken } from '../client/oidc.errors.js';
import { dueAt, sessionIdOf } from './session-token.js';

/** A session that is due so soon after its sign-in could cause a redirect loop. */
const MIN_AGE_SECONDS = 30;

/**
 * Signs a browser in again whose refresh token is unknown to Zitadel although nobody ended the session: the response of a refresh may have been
 * lost with the instance that received it. As long as Zitadel has a session in the browser, the user does not notice.
 */
@Injectable()
export class Resumption {
  constructor(
    private readonly state: SharedState,
    private readonly loggedOut: LoggedOutCookie,
    private readonly chosen: ChosenOrganizations,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'session'>,
  ) {}

  /** Returns the parameters of that sign-in, once for each session; `undefined` when the user has to see the sign-in page. */
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
    // Without `login_hint` Zitadel could sign in another user who has a session in this browser. Its answer is compared with `subject`.
    const { username } = token.user ?? {};
    const isFirst = await this.state.acquireLease(`resumed:${sessionIdOf(token)}`, this.durationMs);
    if (!isFirst || username === undefined || token.sub === undefined) return undefined;
    const { organizationId = '' } = this.chosen.latest(token);
    return { login_hint: username, subject: token.sub, activeOrganization: organizationId };
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
