import {
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type HttpResponse,
} from '@mridang/nestjs-auth';
import { Injectable, NotFoundException } from '@nestjs/common';
import { ClaimsReload, type ReadClaims } from './claims-reload.js';
import type { ZitadelClaims } from '../claims/claims.js';

/** What Zitadel knows about the signed-in user at this moment; the session has it from then on. */
@Injectable()
export class LiveUserinfo {
  constructor(
    private readonly sessions: SessionService,
    private readonly reload: ClaimsReload,
  ) {}

  /**
   * Throws `SessionEnded`, `IdpUnavailable` when Zitadel does not answer, and `NotFoundException` for a session of another
   * provider.
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
    return read.claims;
  }
}
