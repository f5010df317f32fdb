import {
  CsrfService,
  describeError,
  SessionService,
  type AuthenticatedRequest,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Controller, Logger, Post, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { seeOther } from '../http/see-other.js';
import { EndedSessions } from '../zitadel/ended-sessions.js';
import { logoutErrorPage } from './logout-error-page.js';
import { SignOut } from './sign-out.service.js';

/** Ends every session of the person who asks. Only somebody who is signed in has others to end. */
@Controller('auth/logout/everywhere')
export class LogoutEverywhereController {
  private readonly logger = new Logger('Logout');

  constructor(
    private readonly csrf: CsrfService,
    private readonly signOut: SignOut,
    private readonly endedSessions: EndedSessions,
    private readonly sessions: SessionService,
  ) {}

  @Post()
  async logout(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    this.csrf.verify(request);
    const isDone = await this.endOthers(await this.sessions.token(request, response));
    const url = await this.signOut.run(request, response);
    seeOther(response, isDone ? url : logoutErrorPage('others_not_ended'));
  }

  private async endOthers(token: SessionToken | null): Promise<boolean> {
    try {
      if (token?.sub) await this.endedSessions.revokeUser(token.sub);
      return true;
    } catch (error) {
      this.logger.error(`Other sessions were not ended\n${describeError(error)}`);
      return false;
    }
  }
}
