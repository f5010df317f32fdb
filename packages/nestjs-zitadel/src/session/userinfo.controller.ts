import { CsrfService, localPath, ReturnTargets, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Body, Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { ZitadelClaims } from '../claims/claims.js';
import { seeOther } from '../sign-out/sign-out-pages.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { LiveUserinfo } from './live-userinfo.js';

/** The current userinfo of the signed-in user. The session is updated with it. */
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(
    private readonly live: LiveUserinfo,
    private readonly csrf: CsrfService,
    private readonly returns: ReturnTargets,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @Get()
  userinfo(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ZitadelClaims> {
    return this.live.claims(request, response);
  }

  /**
   * Reads roles again for somebody who was refused a page, and redirects to that page. A long address is first stored in a cookie, with
   * a redirect that repeats the request: it does not fit into a response together with the session cookie.
   */
  @Post()
  async readAgain(
    @Body('callbackUrl') wanted: unknown,
    @Query('stored') stored: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    this.csrf.verify(request);
    const { origin, mountPath, postLoginPath } = this.options;
    const target = localPath(wanted, origin, mountPath) ?? postLoginPath;
    const address = this.returns.addressFor(target, request, response) ?? postLoginPath;
    if (address !== target && stored === undefined) {
      response.redirect(307, `${mountPath}/auth/userinfo?stored`);
      return;
    }
    await this.live.claims(request, response);
    seeOther(response, address);
  }
}
