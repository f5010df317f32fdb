import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { AuthEngine } from './auth.engine.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';

/** Answers every request it is applied to with Auth.js, for programs that route without the controller of this module. */
@Injectable()
export class AuthMiddleware implements NestMiddleware<HttpRequest, HttpResponse> {
  constructor(@Inject(AuthEngine) private readonly engine: AuthEngine) {}

  async use(request: HttpRequest, response: HttpResponse, next: (error?: unknown) => void) {
    try {
      await this.engine.answer(request, response);
    } catch (error) {
      next(error);
    }
  }
}
