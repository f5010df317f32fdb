import {
  CsrfService,
  describeError,
  Public,
  SessionRequired,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Controller, Inject, Logger, Post, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { seeOther } from '../http/see-other.js';
import { Journal } from '../metrics/journal.js';
import { SharedState } from '../state/shared-state.js';
import { EndedSessions } from '../zitadel/ended-sessions.js';
import { logoutErrorPage } from './logout-error-page.js';
import { SignOut } from './sign-out.service.js';

/**
 * Ends every session of the person who asks. Only somebody who is signed in has others to end; public all the same, because
 * the guard would renew tokens first: a sign-out waits for nobody, and a refusal of Zitadel is no reason against it.
 */
@Public()
@Controller('auth/logout/everywhere')
export class LogoutEverywhereController {
  private readonly logger = new Logger('Logout');

  constructor(
    private readonly csrf: CsrfService,
    private readonly signOut: SignOut,
    private readonly endedSessions: EndedSessions,
    private readonly sessions: SessionService,
    private readonly state: SharedState,
    private readonly journal: Journal,
    @Inject(ENV) private readonly env: Pick<Env, 'basePath'>,
  ) {}

  @Post()
  async logout(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    this.csrf.verify(request);
    const token = await this.sessions.end(request, response);
    if (!token?.sub) throw new SessionRequired(`${this.env.basePath}/profile`);
    const isDone = await this.endOthers(token.sub);
    this.journal.signedOut('everywhere', isDone ? 'done' : 'others_not_ended', token, request);
    const url = await this.signOut.atZitadel('everywhere', token, request, response);
    seeOther(response, isDone ? url : logoutErrorPage('others_not_ended', this.env.basePath));
  }

  private async endOthers(sub: string): Promise<boolean> {
    try {
      await this.endedSessions.revokeUser(sub, Date.now() / 1000);
      return this.state.isShared;
    } catch (error) {
      this.logger.error(`Other sessions were not ended\n${describeError(error)}`);
      return false;
    }
  }
}
