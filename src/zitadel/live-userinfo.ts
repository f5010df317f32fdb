import {
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type HttpResponse,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Injectable } from '@nestjs/common';
import type { ZitadelClaims } from './claims.js';
import { OidcClient } from './oidc.client.js';
import { AccessTokenRejected } from './oidc.errors.js';

/** What Zitadel knows about the signed-in user at this moment. */
@Injectable()
export class LiveUserinfo {
  constructor(
    private readonly sessions: SessionService,
    private readonly oidc: OidcClient,
  ) {}

  /**
   * Zitadel refuses an access token before its time when it has ended the session or the user: the tokens are renewed once,
   * and if that does not help, the session is over here, too. Throws `SessionEnded` then, and `IdpUnavailable` when Zitadel
   * does not answer.
   */
  async claims(request: AuthenticatedRequest, response: HttpResponse): Promise<ZitadelClaims> {
    const token = await this.sessions.freshToken(request, response);
    try {
      return await this.claimsFor(token);
    } catch (error) {
      if (!(error instanceof AccessTokenRejected)) throw error;
    }
    const renewed = await this.sessions.renewedToken(request, response);
    try {
      return await this.claimsFor(renewed);
    } catch (error) {
      if (!(error instanceof AccessTokenRejected)) throw error;
      await this.sessions.end(request, response);
      throw new SessionEnded('no_refresh', { cause: error });
    }
  }

  private claimsFor(token: SessionToken | null): Promise<ZitadelClaims> {
    if (!token?.accessToken || !token.sub) throw new SessionEnded('no_refresh');
    return this.oidc.userinfo(token.accessToken, token.sub);
  }
}
