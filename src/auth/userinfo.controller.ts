import { CsrfService, localPath, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { LiveUserinfo, seeOther, type ZitadelClaims } from '@mridang/nestjs-zitadel';

/** What Zitadel knows about the signed-in user at this moment, which the session takes over. */
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(
    private readonly live: LiveUserinfo,
    private readonly csrf: CsrfService,
    @Inject(ENV) private readonly env: Env,
  ) {}

  /** For programs. */
  @Get()
  userinfo(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ZitadelClaims> {
    return this.live.claims(request, response);
  }

  /** For a person who was refused a page, and has got a role since: leads back to that page. */
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
