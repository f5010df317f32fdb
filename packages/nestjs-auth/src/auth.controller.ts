import { All, Controller, Inject, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { Public } from './auth.decorators.js';
import { AuthEngine } from './auth.engine.js';
import type { AuthenticatedRequest, HttpResponse } from './auth.types.js';

/** Makes the controller of all routes below `basePath`. */
export function authControllerAt(basePath: string): Type<unknown> {
  @Public()
  @Controller({ path: basePath, version: VERSION_NEUTRAL })
  class AuthController {
    constructor(@Inject(AuthEngine) private readonly engine: AuthEngine) {}

    // Parameters, and no wildcard: Express and Fastify spell that differently.
    @All([':action', ':action/:provider'])
    async handle(@Req() request: AuthenticatedRequest, @Res() response: HttpResponse) {
      await this.engine.answer(request, response);
    }
  }
  return AuthController;
}
