import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  CsrfService,
  describeError,
  Public,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Logger, Post, Query, Redirect, Req, Res } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { Page } from '../http/page.decorator.js';
import { OidcClient } from '../zitadel/oidc.client.js';
import { messageFor, signOutMessages, type SignOutFailure } from './messages.js';

const STATE_LIFETIME_MS = 10 * 60_000;

/** Signs out here, then at Zitadel, and checks that the browser comes back from that very sign-out. */
@Public()
@Controller('auth')
export class LogoutController {
  private readonly logger = new Logger('Logout');
  private readonly cookie: {
    name: string;
    options: { httpOnly: true; sameSite: 'lax'; secure: boolean; path: '/' };
  };

  constructor(
    private readonly sessions: SessionService,
    private readonly csrf: CsrfService,
    private readonly oidc: OidcClient,
    @Inject(ENV) env: Env,
  ) {
    const secure = env.origin.startsWith('https:');
    this.cookie = {
      name: `${secure ? '__Host-' : ''}logout-state`,
      options: { httpOnly: true, sameSite: 'lax', secure, path: '/' },
    };
  }

  @Post(['logout', 'signout'])
  @Redirect()
  async logout(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: Response) {
    this.csrf.verify(request);
    const token = await this.sessions.token(request, response);
    this.sessions.end(request, response);
    if (token?.refreshToken) await this.revoke(token.refreshToken);
    // Without a session here there may still be one at Zitadel; without the hint it asks which.
    try {
      const state = randomBytes(32).toString('base64url');
      const url = await this.oidc.endSessionUrl(state, token?.idToken, token?.user?.username);
      response.cookie(this.cookie.name, state, { ...this.cookie.options, maxAge: STATE_LIFETIME_MS });
      return { url: url.href, statusCode: 303 };
    } catch (error) {
      this.logger.warn(`Signed out here only\n${describeError(error)}`);
      return failed('provider_unavailable');
    }
  }

  @Get('logout/callback')
  @Redirect()
  callback(
    @Query('state') state: unknown,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    const expected = parseCookie(request.headers.cookie ?? '')[this.cookie.name];
    response.clearCookie(this.cookie.name, this.cookie.options);
    return expected && equal(state, expected)
      ? { url: '/auth/logout/success', statusCode: 302 }
      : failed('state_mismatch');
  }

  @Get('logout/success')
  success(@Req() request: AuthenticatedRequest, @Res() response: Response): void {
    if (request.session) response.redirect('/');
    else response.setHeader('Cache-Control', 'no-store').render('signed-out');
  }

  @Get('logout/error')
  @Page('sign-out-failed')
  error(@Query('reason') reason: unknown, @Res({ passthrough: true }) response: Response) {
    const message = messageFor(signOutMessages, reason);
    response.status(message.status);
    return { message };
  }

  /** A refresh token that stays alive is no reason to keep somebody signed in. */
  private async revoke(refreshToken: string) {
    try {
      await this.oidc.revoke(refreshToken);
    } catch (error) {
      this.logger.warn(`The refresh token was not revoked\n${describeError(error)}`);
    }
  }
}

const failed = (reason: SignOutFailure) => ({ url: `/auth/logout/error?reason=${reason}`, statusCode: 303 });

function equal(given: unknown, expected: string) {
  if (typeof given !== 'string') return false;
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
