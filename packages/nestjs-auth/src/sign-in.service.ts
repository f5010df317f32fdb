import { Inject, Injectable } from '@nestjs/common';
import { AuthEngine } from './auth.engine.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { toHttpResponse } from './http/to-http-response.js';

/** Starts a sign-in without a form, for requests that are an act of the user themselves. */
@Injectable()
export class SignIn {
  constructor(@Inject(AuthEngine) private readonly engine: AuthEngine) {}

  /**
   * Answers the request with the redirect to the provider. Throws `SignInFailed`.
   *
   * @param options.callbackUrl where to go afterwards; anything but a page of this application counts as none
   * @param options.status of the redirect; default 303 after a POST, else 302
   * @param options.params for the authorization request, sifted by the option `authorizationParams`
   */
  async start(
    request: HttpRequest,
    response: HttpResponse,
    options: { callbackUrl?: unknown; params?: Record<string, unknown>; status?: 302 | 303 } = {},
  ): Promise<void> {
    await toHttpResponse(await this.engine.startSignIn(request, response, options), response);
  }
}
