import { CsrfService, localPath, Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { Page } from '../http/page.decorator.js';
import { messageFor, sessionEndMessages, signInMessages } from './messages.js';

/** The pages around sign-in. Signing in itself is a form post to Auth.js. */
@Public()
@Controller('auth')
export class LoginController {
  constructor(
    private readonly csrf: CsrfService,
    @Inject(ENV) private readonly env: Env,
  ) {}

  @Get('login')
  login(
    @Query('callbackUrl') wanted: unknown,
    @Query('reason') reason: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): void {
    const asked = localPath(wanted, this.env.origin);
    const callbackUrl = asked ?? this.env.zitadel.postLoginPath;
    if (request.session) response.redirect(callbackUrl);
    else {
      const model = {
        callbackUrl,
        csrfToken: this.csrf.token(request, response),
        isDeepLink: asked !== undefined,
        ended: sentenceFor(reason),
      };
      response.setHeader('Cache-Control', 'no-store').render('login', model);
    }
  }

  @Get('error')
  @Page('sign-in-failed')
  error(@Query('error') reason: unknown, @Res({ passthrough: true }) response: Response) {
    const message = messageFor(signInMessages, reason);
    response.status(message.status);
    return { message };
  }
}

const sentenceFor = (reason: unknown): string | undefined =>
  Object.entries(sessionEndMessages).find(([known]) => known === reason)?.[1];
