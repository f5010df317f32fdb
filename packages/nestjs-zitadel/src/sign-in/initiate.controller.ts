import { isNavigation, Public, SignIn, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, HttpException, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/** 400: `iss` is not the issuer of this application. */
class UnknownIssuer extends HttpException {
  readonly code = 'AUTH_UNKNOWN_ISSUER';

  constructor() {
    super('This application does not use that identity provider', 400);
  }
}

/** Third-party initiated login (OpenID Connect Core 4), as of a portal. */
@Public()
@Controller('auth/initiate')
export class InitiateController {
  constructor(
    private readonly signIn: SignIn,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @Get()
  async initiate(
    @Query('iss') issuer: unknown,
    @Query('login_hint') loginHint: unknown,
    @Query('target_link_uri') returnTo: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (!isNavigation(request)) response.status(204).end();
    else if (issuer !== this.options.issuer) throw new UnknownIssuer();
    else await this.signIn.start(request, response, { returnTo, params: { login_hint: loginHint } });
  }
}
