import {
  AuthSession,
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type Session,
} from '@mridang/nestjs-auth';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Page } from '../http/page.decorator.js';
import { apiCallOf } from './api-call.js';
import { ApiClient, type ApiAnswer } from './api.client.js';
import { profileOf } from './profile.js';

@Controller('profile')
export class ProfileController {
  constructor(
    private readonly sessions: SessionService,
    private readonly api: ApiClient,
  ) {}

  @Get()
  @Page('profile')
  profile(@AuthSession() session: Session) {
    return { profile: profileOf(session), hasApi: this.api.isConfigured };
  }

  /** The profile, and what the API answers the user at this moment. */
  @Get('api')
  @Page('profile')
  async callApi(
    @AuthSession() session: Session,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (!this.api.isConfigured) throw new NotFoundException();
    const apiCall = apiCallOf(await this.answer(request, response));
    return { profile: profileOf(session), hasApi: true, apiCall };
  }

  /** An access token the API refuses is renewed once: Zitadel may have ended it before its time. */
  private async answer(request: AuthenticatedRequest, response: Response): Promise<ApiAnswer> {
    const { accessToken, refreshToken } = (await this.sessions.freshToken(request, response)) ?? {};
    if (!accessToken) throw new SessionEnded('no_refresh');
    const answer = await this.api.hello(accessToken);
    if (answer.kind === 'none' || answer.status !== 401 || !refreshToken) return answer;
    const renewed = await this.sessions.renewedToken(request, response);
    return renewed?.accessToken ? this.api.hello(renewed.accessToken) : answer;
  }
}
