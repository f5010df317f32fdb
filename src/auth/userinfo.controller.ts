import { CsrfService, localPath, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { LiveUserinfo, seeOther, type ZitadelClaims } from '@mridang/nestjs-zitadel';

/** The current userinfo of the signed-in user. The session is updated with it. */
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(
    private readonly live: LiveUserinfo,
    private readonly csrf: CsrfService,
    @Inject(ENV) private readonly env: Env,
  ) {}

  @Get()
  userinfo(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ZitadelClaims> {
    return this.live.claims(request, response);
  }

  /** Reads roles again for somebody who was refused a page, and redirects to that page. */
  @Post()
  async readAgain(
    @Body('callbackUrl') wanted: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    this.csrf.verify(request);
    await this.live.claims(request, response);
    const { origin, basePath, zitadel } = this.env;
    seeOther(response, localPath(wanted, origin, basePath) ?? zitadel.postLoginPath);
  }
}
