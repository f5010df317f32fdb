import { CsrfService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Body, Controller, Get, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Authenticate } from '../authenticate/authenticate.decorators.js';
import type { ZitadelClaims } from '../claims/claims.js';
import { FormReturn } from '../http/form-return.js';
import { seeOther } from '../sign-out/sign-out-pages.js';
import { LiveUserinfo } from './live-userinfo.js';

/** The current userinfo of the signed-in user. The session is updated with it. */
@Authenticate('session')
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(
    private readonly live: LiveUserinfo,
    private readonly csrf: CsrfService,
    private readonly returns: FormReturn,
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
    @Req() request: Request & AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    this.csrf.verify(request);
    const address = this.returns.addressFor(wanted, request, response);
    if (address === undefined) return;
    await this.live.claims(request, response);
    seeOther(response, address);
  }
}
