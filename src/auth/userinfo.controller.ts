import type { AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { ZitadelClaims } from '../zitadel/claims.js';
import { LiveUserinfo } from '../zitadel/live-userinfo.js';

/** What Zitadel knows about the signed-in user at this moment, for programs. */
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(private readonly live: LiveUserinfo) {}

  @Get()
  userinfo(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ZitadelClaims> {
    return this.live.claims(request, response);
  }
}
