import { hash } from 'node:crypto';
import { Public, type HttpRequest } from '@mridang/nestjs-auth';
import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/clock-tolerance.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { LOGOUT_TOKEN_LIFETIME_MS, type LogoutTokenClaims } from '../tokens/logout-token.js';
import { LogoutTokenRefused } from '../client/oidc.errors.js';
import { TokenVerifier } from '../tokens/token-verifier.js';

/**
 * Where Zitadel says that a session has ended there (OpenID Connect Back-Channel Logout 2.5). The signature of the token
 * is all that counts: there is neither a cookie nor a form.
 */
@Public()
@Controller('auth/backchannel-logout')
export class BackChannelLogoutController {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly endedSessions: EndedSessions,
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @All()
  async logout(@Req() request: HttpRequest, @Res() response: Response): Promise<void> {
    const token = request.method === 'POST' ? fieldOf(request.body, 'logout_token') : undefined;
    if (token === undefined) {
      refuse(response, 'A form with one logout_token is expected');
      return;
    }
    try {
      const claims = await this.verifier.logoutToken(token);
      const hasEnded = await this.endOnce(claims);
      this.options.observer.backChannelLogout?.(hasEnded ? 'done' : 'nothing', claims, request);
      response.status(200).end();
    } catch (error) {
      const isRefused = error instanceof LogoutTokenRefused;
      this.options.observer.backChannelLogout?.(isRefused ? 'refused' : 'unavailable', {}, request, error);
      if (isRefused) refuse(response, 'The logout token is not accepted');
      // Zitadel sends it again.
      else response.status(503).setHeader('Retry-After', '5').json({ error: 'temporarily_unavailable' });
    }
  }

  /**
   * The token counts as used when all is done: until then Zitadel may send it again, and ending twice does no harm. Tells
   * whether there may have been anything to end: there is a token for each sign-in of a session.
   */
  private async endOnce({ jti, sid, sub, iat }: LogoutTokenClaims): Promise<boolean> {
    const key = `logout-token:${hash('sha256', jti, 'base64url')}`;
    if (this.state.get(key) !== undefined)
      throw new LogoutTokenRefused({ cause: new TypeError('The token was sent before') });
    let hasEnded = true;
    if (sid !== undefined) hasEnded = await this.endedSessions.revokeSid(sid);
    else if (sub !== undefined) await this.endedSessions.revokeUser(sub, endOf(iat));
    if (!this.state.isShared) throw new Error('It has ended here, and other instances do not know of it yet');
    await this.state.add(key, '1', LOGOUT_TOKEN_LIFETIME_MS);
    return hasEnded;
  }
}

/** A token may arrive late: who has signed in since it was made stays. Clocks differ, and nothing ends in advance. */
const endOf = (iat: number) => Math.min(iat + CLOCK_TOLERANCE_SECONDS, Date.now() / 1000);

function refuse(response: Response, description: string) {
  response.status(400).json({ error: 'invalid_request', error_description: description });
}

function fieldOf(body: unknown, name: string): string | undefined {
  const value = (body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
