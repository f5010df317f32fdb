import { Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { SignOut, type SignedOut } from '@mridang/nestjs-zitadel';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { messageFor, signedOutTexts, signOutMessages } from './messages.js';

/** What a sign-out ends on. Anybody can open these addresses, so whoever is signed in is sent to the start page. */
@Public()
@Controller('auth/logout')
export class LogoutPagesController {
  constructor(
    private readonly signOut: SignOut,
    @Inject(ENV) private readonly env: Pick<Env, 'basePath'>,
  ) {}

  @Get('success')
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

  @Get('error')
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
