import { All, Controller, Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { Public } from './auth.decorators.js';
import { AuthEngine } from './auth.engine.js';
import type { AuthenticatedRequest, HttpResponse, Session } from './auth.types.js';
import { CsrfService } from './csrf/csrf.service.js';
import { toHttpResponse } from './http/to-http-response.js';
import { SessionService } from './session/session.service.js';

/** Makes the controller that answers everything below `basePath`. */
export function authControllerAt(basePath: string): Type<unknown> {
  @Public()
  @Controller(basePath)
  class AuthController {
    constructor(
      @Inject(AuthEngine) private readonly engine: AuthEngine,
      @Inject(SessionService) private readonly sessions: SessionService,
      @Inject(CsrfService) private readonly csrf: CsrfService,
    ) {}

    @Get('session')
    async session(@Req() request: AuthenticatedRequest, @Res() response: HttpResponse) {
      await send(await this.sessions.load(request, response), response);
    }

    @Get('csrf')
    async csrfToken(@Req() request: AuthenticatedRequest, @Res() response: HttpResponse) {
      await send({ csrfToken: this.csrf.token(request, response) }, response);
    }

    @All('{*action}')
    async authJs(@Req() request: AuthenticatedRequest, @Res() response: HttpResponse) {
      await toHttpResponse(await this.engine.run(request, response), response);
    }
  }
  return AuthController;
}

const send = (body: Session | { csrfToken: string } | null, response: HttpResponse) =>
  toHttpResponse(Response.json(body, { headers: { 'cache-control': 'private, no-store' } }), response);
