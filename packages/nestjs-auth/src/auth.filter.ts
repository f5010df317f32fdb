import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { AuthError, SessionRequired, SignInFailed } from './auth.errors.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { isPageRequest } from './http/is-page-request.js';
import { toHttpResponse } from './http/to-http-response.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/**
 * Answers the refusals that have a page of their own: a browser is sent to the sign-in page or the error page,
 * a program gets the status and a JSON body.
 */
@Catch(SessionRequired, SignInFailed)
export class AuthFilter implements ExceptionFilter<SessionRequired | SignInFailed> {
  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  async catch(error: SessionRequired | SignInFailed, host: ArgumentsHost) {
    const http = host.switchToHttp();
    const answer = isPageRequest(http.getRequest<HttpRequest>().headers) ? this.page(error) : json(error);
    answer.headers.set('cache-control', 'no-store');
    await toHttpResponse(answer, http.getResponse<HttpResponse>());
  }

  private page(error: SessionRequired | SignInFailed): Response {
    const [page, query] =
      error instanceof SessionRequired
        ? [this.options.signInPage, { callbackUrl: error.returnTo }]
        : [this.options.errorPage, { error: error.reason }];
    const separator = page.includes('?') ? '&' : '?';
    const location = `${page}${separator}${new URLSearchParams(query)}`;
    return new Response(null, { status: 302, headers: { location } });
  }
}

const json = (error: AuthError) =>
  Response.json(
    { statusCode: error.getStatus(), code: error.code, message: error.message },
    { status: error.getStatus() },
  );
