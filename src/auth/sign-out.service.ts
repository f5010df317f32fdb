import {
  describeError,
  SessionService,
  type AuthenticatedRequest,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { Journal } from '../metrics/journal.js';
import { EndedSessions } from '../zitadel/ended-sessions.js';
import { OidcClient } from '../zitadel/oidc.client.js';
import { TokenRevocation } from '../zitadel/token-revocation.js';
import { logoutErrorPage } from './logout-error-page.js';
import { LogoutStates } from './logout-states.js';

/** How long a sign-out waits for Zitadel to revoke a refresh token. It goes on without the answer. */
const REVOCATION_WAIT_MS = 2_000;

/** Signs out: first here, then at Zitadel. */
@Injectable()
export class SignOut {
  private readonly logger = new Logger('Logout');

  constructor(
    private readonly sessions: SessionService,
    private readonly oidc: OidcClient,
    private readonly revocation: TokenRevocation,
    private readonly endedSessions: EndedSessions,
    private readonly states: LogoutStates,
    private readonly journal: Journal,
  ) {}

  /** Ends the session of a request whose CSRF token was verified. Returns where the browser goes next. */
  async run(request: AuthenticatedRequest, response: Response): Promise<string> {
    const token = await this.sessions.end(request, response);
    this.journal.signedOut('user', token ? 'done' : 'no_session', token, request);
    return this.atZitadel(token, request, response);
  }

  /** What is left to do at Zitadel about a session that has ended here. Returns where the browser goes next. */
  async atZitadel(
    token: SessionToken | null,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    if (token?.sid) await this.endedSessions.noteSignOut(token.sid);
    if (token) await this.revoke(token);
    return this.nextStop(token, request, response);
  }

  /** Without a session here there may still be one at Zitadel; without the hint it asks which. */
  private async nextStop(
    token: SessionToken | null,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    try {
      const url = await this.oidc.endSessionUrl(token?.idToken, token?.user?.username);
      if (!url) return '/auth/logout/success?only=here';
      url.searchParams.set('state', this.states.begin(request, response));
      return url.href;
    } catch (error) {
      this.logger.warn(`Signed out here only\n${describeError(error)}`);
      return logoutErrorPage('provider_unavailable');
    }
  }

  /** A refresh token that stays alive is no reason to keep somebody signed in. */
  private async revoke(token: SessionToken): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, REVOCATION_WAIT_MS)));
    await Promise.race([this.revocation.revoke(token), patience]);
    clearTimeout(timer);
  }
}
