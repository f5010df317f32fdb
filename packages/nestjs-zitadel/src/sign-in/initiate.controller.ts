import { isPrefetch, Public, SignIn, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Controller, Get, HttpException, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/** 400: somebody wants a sign-in with an identity provider that this application does not use. */
class UnknownIssuer extends HttpException {
  readonly code = 'AUTH_UNKNOWN_ISSUER';

  constructor() {
    super('This application does not sign in with that identity provider', 400);
  }
}

/** Sign-in that another site asks for, such as a portal (OpenID Connect Core 4). */
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
    @Query('target_link_uri') target: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (!isNavigation(request)) response.status(204).end();
    else if (issuer !== this.options.issuer) throw new UnknownIssuer();
    else
      await this.signIn.start(request, response, { returnTo: target, params: { login_hint: loginHint } });
  }
}

/** An image, a frame or a browser that looks ahead asks for no sign-in. */
function isNavigation({ method, headers }: AuthenticatedRequest): boolean {
  const dest = headers['sec-fetch-dest'];
  return method === 'GET' && !isPrefetch(headers) && (dest === undefined || dest === 'document');
}
