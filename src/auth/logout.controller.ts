import { CsrfService, isPrefetch, Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { seeOther } from '../http/see-other.js';
import { logoutErrorPage } from './logout-error-page.js';
import { LogoutStates } from './logout-states.js';
import { messageFor, signedOutTexts, signOutMessages, type SignedOut } from './messages.js';
import { signedOutPage } from './signed-out-page.js';
import { SignOut } from './sign-out.service.js';

/** Signs out, and checks that the browser comes back from that very sign-out. */
@Public()
@Controller('auth')
export class LogoutController {
  constructor(
    private readonly csrf: CsrfService,
    private readonly signOut: SignOut,
    private readonly states: LogoutStates,
    @Inject(ENV) private readonly env: Pick<Env, 'basePath'>,
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
    else if (state === undefined) response.redirect(logoutErrorPage('state_missing', this.env.basePath));
    else {
      const kind = typeof state === 'string' ? this.states.take(state, request, response) : undefined;
      response.redirect(
        kind ? signedOutPage(kind, this.env.basePath) : logoutErrorPage('state_mismatch', this.env.basePath),
      );
    }
  }

  @Get('logout/success')
  async success(
    @Query('ended') ended: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (request.session) {
      response.redirect(`${this.env.basePath}/`);
      return;
    }
    const what = isSignedOut(ended) ? ended : 'user';
    response.render('signed-out', {
      text: signedOutTexts[what],
      choiceUrl: what === 'before' ? await this.signOut.choiceAtZitadel(request, response) : undefined,
    });
  }

  /** The pages of `signOutMessages` say that the session here is over: nobody who is signed in is shown one. */
  @Get('logout/error')
  error(
    @Query('reason') reason: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): void {
    const message = messageFor(signOutMessages, reason);
    if (request.session) response.redirect(`${this.env.basePath}/`);
    else {
      response.status(message.status).render('sign-out-failed', { message });
    }
  }
}

const isSignedOut = (value: unknown): value is SignedOut =>
  typeof value === 'string' && Object.hasOwn(signedOutTexts, value);
