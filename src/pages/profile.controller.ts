import {
  AuthSession,
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type Session,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Controller, Get, Inject, NotFoundException, Render, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { claimsIn, LiveUserinfo } from '@mridang/nestjs-zitadel';
import { describedClaims, type DescribedClaim } from './described-claims.js';
import { apiCallOf } from './api-call.js';
import { ApiClient } from './api.client.js';
import { profileOf, sessionFactsOf } from './profile.js';

/** The profile page, and the same page with live userinfo or an API answer. */
@Controller('profile')
export class ProfileController {
  /** sessions do not change, so their facts are cached */
  private readonly idTokens = new WeakMap<SessionToken, { amr: unknown; claims: DescribedClaim[] }>();

  constructor(
    private readonly sessions: SessionService,
    private readonly userinfo: LiveUserinfo,
    private readonly api: ApiClient,
    @Inject(ENV) private readonly env: Env,
  ) {}

  @Get()
  @Render('profile')
  profile(
    @AuthSession() session: Session,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.page(session, request, response);
  }

  /** With live userinfo. */
  @Get('live')
  @Render('profile')
  async live(
    @AuthSession() session: Session,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    const live = describedClaims(await this.userinfo.claims(request, response));
    return { ...(await this.page(session, request, response)), live };
  }

  /** With the answer of the API. */
  @Get('api')
  @Render('profile')
  async callApi(
    @AuthSession() session: Session,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (!this.api.isConfigured) throw new NotFoundException();
    const apiCall = apiCallOf(await this.answer(request, response), this.env.basePath);
    return { ...(await this.page(session, request, response)), apiCall };
  }

  private async page(before: Session, request: AuthenticatedRequest, response: Response) {
    // The call may have refreshed the session.
    const session = (await this.sessions.load(request, response)) ?? before;
    const token = (await this.sessions.token(request, response)) ?? {};
    const { amr, claims } = this.idTokenOf(token);
    return {
      profile: profileOf(session, this.env.zitadel.issuer),
      session: sessionFactsOf(session, token, amr, this.env.session.maxDurationSeconds),
      claims,
      rolesReadAt: token.claimsReadAt ?? token.start ?? 0,
      hasApi: this.api.isConfigured,
      accountUrl: this.env.accountUrl,
    };
  }

  private idTokenOf(token: SessionToken) {
    const known = this.idTokens.get(token);
    if (known) return known;
    const claims = claimsIn(token.idToken);
    const idToken = { amr: claims['amr'], claims: describedClaims(claims) };
    this.idTokens.set(token, idToken);
    return idToken;
  }

  /** Asks Zitadel why the API refused the token: another instance may have refreshed it, or the session has ended. */
  private async answer(request: AuthenticatedRequest, response: Response) {
    const { accessToken } = (await this.sessions.freshToken(request, response)) ?? {};
    if (!accessToken) throw new SessionEnded('no_refresh');
    const organizationId = request.session?.user.activeOrganization?.id;
    const answer = await this.api.hello(accessToken, organizationId);
    if (answer.kind !== 'answer' || answer.status !== 401) return answer;
    await this.userinfo.claims(request, response);
    const newest = (await this.sessions.token(request, response))?.accessToken;
    return newest !== undefined && newest !== accessToken ? this.api.hello(newest, organizationId) : answer;
  }
}
