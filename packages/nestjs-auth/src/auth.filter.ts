import { Catch, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { SessionEnded, SessionRequired, SignInFailed } from './auth.errors.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { describeSignInFailure } from './describe-sign-in-failure.js';
import { isPageRequest } from './http/is-page-request.js';
import { isPrefetch } from './http/is-prefetch.js';
import { rawResponse } from './http/raw-response.js';
import { requestTarget } from './http/request-target.js';
import { retryAfterOf } from './http/retry-after-of.js';
import { toHttpResponse } from './http/to-http-response.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { SessionService } from './session/session.service.js';
import { ReturnTargets } from './transaction/return-targets.js';
import { SignIn } from './sign-in.service.js';

/**
 * Answers the refusals that have a page of their own: a browser is sent to the sign-in page or the error page,
 * a program gets the status and a JSON body.
 */
@Catch(SessionRequired, SessionEnded, SignInFailed)
export class AuthFilter implements ExceptionFilter<SessionRequired | SessionEnded | SignInFailed> {
  private readonly logger = new Logger('Auth');

  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(SignIn) private readonly signIn: SignIn,
    @Inject(ReturnTargets) private readonly returns: ReturnTargets,
  ) {}

  async catch(error: SessionRequired | SessionEnded | SignInFailed, host: ArgumentsHost) {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    if (rawResponse(response).headersSent) return void rawResponse(response).end();
    const refusal =
      error instanceof SessionEnded
        ? new SessionRequired(requestTarget(request), error.reason, { cause: error })
        : error;
    if (refusal instanceof SignInFailed) this.log(refusal, request);
    else if (await this.hasResumed(refusal, request, response)) return;
    const isPage = isPageRequest(request.headers);
    const { failurePage } = this.options;
    if (isPage && failurePage && refusal instanceof SignInFailed && refusal.getStatus() >= 500)
      return failurePage(refusal, request, response);
    const answer = isPage ? this.page(refusal, request, response) : this.json(refusal);
    answer.headers.set('cache-control', 'no-store');
    const retryAfter = retryAfterOf(refusal);
    if (answer.status === 503 && retryAfter !== undefined)
      answer.headers.set('retry-after', String(retryAfter));
    await toHttpResponse(answer, response);
  }

  private async hasResumed(
    { cause, returnTo }: SessionRequired,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<boolean> {
    const isPage = request.method === 'GET' && isPageRequest(request.headers) && !isPrefetch(request.headers);
    if (!isPage || !(cause instanceof SessionEnded)) return false;
    // The way to the provider has no room for a long one: the sign-in page has.
    if (this.returns.isLong(returnTo)) return false;
    const params = await this.options.resume?.(cause, this.sessions.lastToken(request), request);
    if (!params) return false;
    try {
      await this.signIn.start(request, response, { callbackUrl: returnTo, params });
      return true;
    } catch (error) {
      if (error instanceof SignInFailed) return false;
      throw error;
    }
  }

  /** A person who changes their mind is no trouble; a provider that refuses is. */
  private log(error: SignInFailed, request: HttpRequest) {
    const { observer } = this.options;
    if (observer) return observer.signInFailed(error, request);
    this.logger[error.needsOperator ? 'error' : 'warn'](describeSignInFailure(error));
  }

  private page(
    error: SessionRequired | SignInFailed,
    request: HttpRequest,
    response: HttpResponse,
  ): Response {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    // What was posted cannot be asked for again. An empty one tells the sign-in page of an address that is too long.
    const returnTo =
      isRead && error instanceof SessionRequired
        ? (this.returns.addressFor(error.returnTo, request, response) ?? '')
        : undefined;
    const location =
      error instanceof SignInFailed
        ? withQuery(this.options.errorPage, { error: error.reason, ref: error.reference })
        : withQuery(this.options.signInPage, {
            ...(returnTo === undefined ? {} : { callbackUrl: returnTo }),
            ...(error.ended ? { reason: error.ended } : {}),
          });
    return new Response(null, { status: isRead ? 302 : 303, headers: { location } });
  }

  private json(error: SessionRequired | SignInFailed): Response {
    // Whoever had a session learns that it is over, wherever that was found out.
    const { code, message } =
      error instanceof SessionRequired && error.ended ? new SessionEnded(error.ended) : error;
    const statusCode = error.getStatus();
    const detail =
      error instanceof SignInFailed
        ? { reason: error.reason, reference: error.reference }
        : { loginUrl: this.options.signInPage, ...(error.ended ? { reason: error.ended } : {}) };
    return Response.json({ statusCode, code, message, ...detail }, { status: statusCode });
  }
}

function withQuery(page: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${page}${page.includes('?') ? '&' : '?'}${text}` : page;
}
