import { hash } from 'node:crypto';
import { Public, type HttpRequest } from '@mridang/nestjs-auth';
import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { endTimeOf } from '../tokens/token-checks.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { LOGOUT_TOKEN_LIFETIME_MS, type LogoutTokenClaims } from '../tokens/logout-token.js';
import { LogoutTokenRefused } from '../client/oidc.errors.js';
import { TokenVerifier } from '../tokens/token-verifier.js';

/**
 * Receives logout tokens of Zitadel (OpenID Connect Back-Channel Logout 2.5). Only the signature of the token authenticates the request: it
 * has neither a cookie nor a CSRF token.
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
    // OpenID Connect Back-Channel Logout 2.5: a form, whatever else the program reads
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');
    const token = request.method === 'POST' && isForm ? fieldOf(request.body, 'logout_token') : undefined;
    if (token === undefined) {
      refuse(response, 'Expected a form with one logout_token');
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
      // Zitadel repeats the request after a 503.
      else response.status(503).setHeader('Retry-After', '5').json({ error: 'temporarily_unavailable' });
    }
  }

  /**
   * Ends the sessions that a token names, and stores its `jti` only after that: until then Zitadel may repeat the token, and ending a session
   * twice has no effect. Resolves to `false` when the sessions had ended before: Zitadel sends a token for each sign-in of its session.
   */
  private async endOnce({ jti, sid, sub, iat }: LogoutTokenClaims): Promise<boolean> {
    const key = `logout-token:${hash('sha256', jti, 'base64url')}`;
    if (this.state.get(key) !== undefined)
      throw new LogoutTokenRefused({ cause: new TypeError('A token with this jti was received before') });
    let hasEnded = true;
    if (sid !== undefined) hasEnded = await this.endedSessions.revokeSid(sid);
    else if (sub !== undefined) await this.endedSessions.revokeUser(sub, endTimeOf(iat));
    if (!this.state.isShared)
      throw new Error('The session has ended on this instance only: Redis is not available');
    await this.state.add(key, '1', LOGOUT_TOKEN_LIFETIME_MS);
    return hasEnded;
  }
}

function refuse(response: Response, description: string) {
  response.status(400).json({ error: 'invalid_request', error_description: description });
}

function fieldOf(body: unknown, name: string): string | undefined {
  const value = (body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
