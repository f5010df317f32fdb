import { localPath, Public, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { PageFrame } from '../http/page-frame.js';
import { Page } from '../http/page.decorator.js';
import { messageFor, sessionEndMessages, signInMessages } from './messages.js';

/** The pages around sign-in. Signing in itself is a form post to Auth.js. */
@Public()
@Controller('auth')
export class LoginController {
  constructor(
    private readonly frame: PageFrame,
    @Inject(ENV) private readonly env: Env,
  ) {}

  @Get('login')
  async login(
    @Query('callbackUrl') wanted: unknown,
    @Query('reason') reason: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    const asked = localPath(wanted, this.env.origin);
    const callbackUrl = asked ?? this.env.zitadel.postLoginPath;
    if (request.session) response.redirect(callbackUrl);
    else
      await this.frame.render(request, response, 'login', {
        callbackUrl,
        isDeepLink: asked !== undefined,
        ended: sentenceFor(reason),
      });
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
