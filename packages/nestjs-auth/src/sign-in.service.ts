import { Inject, Injectable } from '@nestjs/common';
import { AuthEngine } from './auth.engine.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { toHttpResponse } from './http/to-http-response.js';

/** Starts a sign-in without a form: for requests that the user has caused, such as a link. */
@Injectable()
export class SignIn {
  constructor(@Inject(AuthEngine) private readonly engine: AuthEngine) {}

  /**
   * Answers the request with a redirect to the provider.
   *
   * @param options.returnTo page after sign-in; anything but a page of this application is ignored
   * @param options.params fields of a sign-in form, filtered by the option `authorizationParams`
   * @param options.status of the redirect. Default 303 after a POST, else 302
   * @throws `SignInFailed`
   */
  async start(
    request: HttpRequest,
    response: HttpResponse,
    options: { returnTo?: unknown; params?: Record<string, unknown>; status?: 302 | 303 } = {},
  ): Promise<void> {
    await toHttpResponse(await this.engine.startSignIn(request, response, options), response);
  }
}
