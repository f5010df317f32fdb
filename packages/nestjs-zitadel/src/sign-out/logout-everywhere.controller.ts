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
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { seeOther, signOutFailedPage } from './sign-out-pages.js';
import { SignOut } from './sign-out.service.js';

/**
 * Ends every session of the signed-in user. Public, because the guard would refresh the tokens first: a sign-out must neither wait for that
 * nor fail with it.
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
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @Post()
  async logout(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    this.csrf.verify(request);
    const token = await this.sessions.end(request, response);
    if (!token?.sub) throw new SessionRequired(this.options.postLoginPath);
    const isDone = await this.endOthers(token.sub);
    this.options.observer.signedOut?.('everywhere', isDone ? 'done' : 'others_not_ended', token, request);
    const url = await this.signOut.finishAtZitadel('everywhere', token, request, response);
    seeOther(response, isDone ? url : signOutFailedPage(this.options, 'others_not_ended'));
  }

  private async endOthers(sub: string): Promise<boolean> {
    try {
      await this.endedSessions.revokeUser(sub, Date.now() / 1000);
      return this.state.isShared;
    } catch (error) {
      this.logger.error(
        `Could not end the other sessions of a user: the user is told to try again\n${describeError(error)}`,
      );
      return false;
    }
  }
}
