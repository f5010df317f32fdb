import { SessionService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { ZitadelClaims } from '../zitadel/claims.js';
import { OidcClient } from '../zitadel/oidc.client.js';
import { AccessTokenRejected } from '../zitadel/oidc.errors.js';

/** What Zitadel knows about the signed-in user at this moment. */
@Controller('auth/userinfo')
export class UserinfoController {
  constructor(
    private readonly sessions: SessionService,
    private readonly oidc: OidcClient,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async userinfo(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ZitadelClaims> {
    const token = await this.sessions.token(request, response);
    if (!token?.accessToken || !token.sub) throw new AccessTokenRejected();
    try {
      return await this.oidc.userinfo(token.accessToken, token.sub);
    } catch (error) {
      // Without this the login page would take the person for signed in and send them away.
      if (error instanceof AccessTokenRejected) this.sessions.end(request, response);
      throw error;
    }
  }
}
