import {
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { ZitadelClaims } from '../zitadel/claims.js';
import { OidcClient } from '../zitadel/oidc.client.js';
import { AccessTokenRejected } from '../zitadel/oidc.errors.js';

/**
 * What Zitadel knows about the signed-in user at this moment. Zitadel refuses an access token before its time when it has
 * ended the session or the user: the tokens are renewed once, and if that does not help, the session is over here, too.
 */
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
    const token = await this.sessions.freshToken(request, response);
    try {
      return await this.claims(token);
    } catch (error) {
      if (!(error instanceof AccessTokenRejected)) throw error;
    }
    const renewed = await this.sessions.renewedToken(request, response);
    try {
      return await this.claims(renewed);
    } catch (error) {
      if (!(error instanceof AccessTokenRejected)) throw error;
      await this.sessions.end(request, response);
      throw new SessionEnded('no_refresh', { cause: error });
    }
  }

  private claims(token: SessionToken | null): Promise<ZitadelClaims> {
    if (!token?.accessToken || !token.sub) throw new SessionEnded('no_refresh');
    return this.oidc.userinfo(token.accessToken, token.sub);
  }
}
