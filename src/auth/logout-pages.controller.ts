import { Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { SignOut, type SignedOut } from '@mridang/nestjs-zitadel';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import type { TextKey } from '../texts/en.js';
import { isTextKey, messageFor, messageOf } from '../texts/text.js';

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
      text: `signedOut.ended.${what}` satisfies TextKey,
      choiceUrl: what === 'before' ? await this.signOut.choiceAtZitadel(request, response) : undefined,
    });
  }

  @Get('error')
  error(
    @Query('reason') reason: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): void {
    const message = messageFor('signOut', reason) ?? messageOf('signIn.unknown');
    if (request.session) response.redirect(`${this.env.basePath}/`);
    // Anybody can open this page, so its status must not look like a server error.
    else response.status(400).render('sign-out-failed', { message });
  }
}

const isSignedOut = (value: unknown): value is SignedOut => isTextKey(`signedOut.ended.${String(value)}`);
