import {
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type HttpResponse,
} from '@mridang/nestjs-auth';
import { Injectable, NotFoundException } from '@nestjs/common';
import type { CalledRequest } from '../bearer/caller.js';
import { inOrganizationAsked } from '../organizations/acting.js';
import { ClaimsReload, type ReadClaims } from './claims-reload.js';
import type { ZitadelClaims } from '../claims/claims.js';

/** Reads userinfo for the signed-in user, and updates the user in the session. */
@Injectable()
export class LiveUserinfo {
  constructor(
    private readonly sessions: SessionService,
    private readonly reload: ClaimsReload,
  ) {}

  /**
   * Returns the userinfo claims of the signed-in user.
   *
   * @throws `SessionEnded`; `IdpUnavailable` or `AccessTokenRejected` without an answer of Zitadel; `NotFoundException` for a session of
   *   another provider
   */
  async claims(request: AuthenticatedRequest, response: HttpResponse): Promise<ZitadelClaims> {
    const session = await this.sessions.token(request, response);
    if (session && session.idToken === undefined)
      throw new NotFoundException('Zitadel does not know this user');
    let read: ReadClaims | undefined;
    await this.sessions.replace(request, response, async (token) => {
      read = await this.reload.read(token);
      return read.token;
    });
    if (!read) throw new SessionEnded('no_refresh');
    const { organizationAsked } = request as Partial<CalledRequest>;
    if (request.session && organizationAsked !== undefined)
      request.session = {
        ...request.session,
        user: inOrganizationAsked(request.session.user, request as CalledRequest),
      };
    return read.claims;
  }
}
