import { CsrfService, isPrefetch, Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { LogoutStates } from './logout-states.js';
import { seeOther, signedOutPage, signOutFailedPage } from './sign-out-pages.js';
import { SignOut } from './sign-out.service.js';

/** Signs out, and checks the `state` with which Zitadel redirects the browser back. */
@Public()
@Controller('auth')
export class LogoutController {
  constructor(
    private readonly csrf: CsrfService,
    private readonly signOut: SignOut,
    private readonly states: LogoutStates,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @Post(['logout', 'signout'])
  async logout(@Req() request: AuthenticatedRequest, @Res() response: Response): Promise<void> {
    this.csrf.verify(request);
    seeOther(response, await this.signOut.run(request, response));
  }

  @Get('logout/callback')
  callback(
    @Query('state') state: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): void {
    if (request.method === 'HEAD' || isPrefetch(request.headers)) response.status(204).end();
    else if (state === undefined) response.redirect(signOutFailedPage(this.options, 'state_missing'));
    else {
      const kind = typeof state === 'string' ? this.states.redeem(state, request, response) : undefined;
      response.redirect(
        kind ? signedOutPage(this.options, kind) : signOutFailedPage(this.options, 'state_mismatch'),
      );
    }
  }
}
