import { Catch, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { AuthError, SessionRequired, SignInFailed } from './auth.errors.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { describeError } from './http/describe-error.js';
import { isPageRequest } from './http/is-page-request.js';
import { toHttpResponse } from './http/to-http-response.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/**
 * Answers the refusals that have a page of their own: a browser is sent to the sign-in page or the error page,
 * a program gets the status and a JSON body.
 */
@Catch(SessionRequired, SignInFailed)
export class AuthFilter implements ExceptionFilter<SessionRequired | SignInFailed> {
  private readonly logger = new Logger('Auth');

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  async catch(error: SessionRequired | SignInFailed, host: ArgumentsHost) {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    if (error instanceof SignInFailed) this.log(error);
    const answer = isPageRequest(request.headers) ? this.page(error, request) : json(error);
    answer.headers.set('cache-control', 'no-store');
    await toHttpResponse(answer, http.getResponse<HttpResponse>());
  }

  /** A person who changes their mind is no trouble; a provider that refuses is. */
  private log(error: SignInFailed) {
    const isOrdinary = error.reason === 'access_denied' || error.reason === 'check_failed';
    this.logger[isOrdinary ? 'warn' : 'error'](
      `Sign-in failed (${error.reason})\n${describeError(error.cause)}`,
    );
  }

  private page(error: SessionRequired | SignInFailed, { method }: HttpRequest): Response {
    const isRead = method === 'GET' || method === 'HEAD';
    const [page, query] =
      error instanceof SignInFailed
        ? [this.options.errorPage, { error: error.reason }]
        : [this.options.signInPage, isRead ? { callbackUrl: error.returnTo } : undefined];
    const separator = page.includes('?') ? '&' : '?';
    const location = query ? `${page}${separator}${new URLSearchParams(query)}` : page;
    return new Response(null, { status: isRead ? 302 : 303, headers: { location } });
  }
}

const json = (error: AuthError) =>
  Response.json(
    { statusCode: error.getStatus(), code: error.code, message: error.message },
    { status: error.getStatus() },
  );
