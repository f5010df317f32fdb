import { Catch, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { throwError } from 'rxjs';
import {
  isSessionEnded,
  SessionEnded,
  SessionRequired,
  SignInFailed,
  signInFailureStatus,
} from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { describeSignInFailure, retryAfterOf } from '../http/error-chain.js';
import { rawResponse } from '../http/raw-response.js';
import { isNavigation, isPageRequest, requestTarget } from '../http/request-facts.js';
import { answered, toHttpResponse } from '../http/to-http-response.js';
import { withQuery } from '../http/with-query.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { SessionService } from '../session/session.service.js';
import { ReturnTargets } from '../transaction/return-targets.js';
import { SignIn } from '../sign-in.service.js';

/**
 * Answers the errors of this module that have a page: redirects a browser to the sign-in page or the error page, and sends a program
 * the status with a JSON body.
 */
@Catch(SessionRequired, SessionEnded, SignInFailed)
export class AuthFilter implements ExceptionFilter<SessionRequired | SessionEnded | SignInFailed> {
  private readonly logger = new Logger('Auth');

  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(SignIn) private readonly signIn: SignIn,
    @Inject(ReturnTargets) private readonly returnTargets: ReturnTargets,
  ) {}

  catch(error: SessionRequired | SessionEnded | SignInFailed, host: ArgumentsHost): unknown {
    const type = host.getType<string>();
    if (type === 'http')
      return answered(this.answer(error, host), host.switchToHttp().getResponse<HttpResponse>());
    // A microservice sends what the Observable fails with; GraphQL adds what is thrown to its result.
    if (type === 'rpc') return throwError(() => error.getResponse());
    throw error;
  }

  private async answer(error: SessionRequired | SessionEnded | SignInFailed, host: ArgumentsHost) {
    const http = host.switchToHttp();
    const request = http.getRequest<HttpRequest>();
    const response = http.getResponse<HttpResponse>();
    if (rawResponse(response).headersSent) return void rawResponse(response).end();
    const refusal =
      error instanceof SessionEnded
        ? new SessionRequired(requestTarget(request), error.reason, { cause: error })
        : error;
    if (refusal instanceof SignInFailed) this.report(refusal, request);
    else if (await this.resume(refusal, request, response)) return;
    const isPage = isPageRequest(request.headers);
    const { failurePage } = this.options;
    if (isPage && failurePage && refusal instanceof SignInFailed && refusal.getStatus() >= 500)
      return failurePage(refusal, request, response);
    const answer = isPage
      ? this.pageResponse(refusal, request, response)
      : this.jsonResponse(refusal, request);
    answer.headers.set('cache-control', 'no-store');
    const retryAfter = retryAfterOf(refusal);
    if (answer.status === 503 && retryAfter !== undefined)
      answer.headers.set('retry-after', String(retryAfter));
    await toHttpResponse(answer, response);
  }

  /** Resolves to whether the request was answered with a redirect to the provider. */
  private async resume(
    { cause, returnTo }: SessionRequired,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<boolean> {
    const isPage = request.method === 'GET' && isPageRequest(request.headers);
    if (!isPage || !isNavigation(request) || !isSessionEnded(cause)) return false;
    // A long target needs a cookie, which does not fit into a response together with the check cookie.
    if (this.returnTargets.isLong(returnTo)) return false;
    const params = await this.options.resume?.(cause, this.sessions.lastToken(request), request);
    if (!params) return false;
    try {
      await this.signIn.start(request, response, { returnTo, params });
      return true;
    } catch (error) {
      if (error instanceof SignInFailed) return false;
      throw error;
    }
  }

  /** `error` only for failures that an operator has to act on. */
  private report(error: SignInFailed, request: HttpRequest) {
    const { observer } = this.options;
    if (observer) return observer.signInFailed(error, request);
    this.logger[error.needsOperator ? 'error' : 'warn'](describeSignInFailure(error));
  }

  private pageResponse(
    error: SessionRequired | SignInFailed,
    request: HttpRequest,
    response: HttpResponse,
  ): Response {
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    if (error instanceof SignInFailed && isRefusal(error)) this.options.refused?.(error, request);
    // A POST cannot be repeated after sign-in. An empty value tells the sign-in page that the address was too long.
    const returnTo =
      isSafe && error instanceof SessionRequired
        ? (this.returnTargets.addressFor(error.returnTo, request, response) ?? '')
        : undefined;
    const location =
      error instanceof SignInFailed
        ? withQuery(this.options.errorPage, {
            error: authJsName(error),
            reason: error.reason,
            ref: error.reference,
            ...(error.detail === undefined ? {} : { detail: error.detail }),
            ...(error.returnTo === undefined ? {} : { callbackUrl: error.returnTo }),
          })
        : withQuery(this.options.signInPage, {
            ...(returnTo === undefined ? {} : { callbackUrl: returnTo }),
            ...(error.ended ? { reason: error.ended } : {}),
          });
    return new Response(null, { status: isSafe ? 302 : 303, headers: { location } });
  }

  private jsonResponse(error: SessionRequired | SignInFailed, request: HttpRequest): Response {
    // A caller whose session has ended gets that code, no matter which error was thrown first.
    const shown = error instanceof SessionRequired && error.ended ? new SessionEnded(error.ended) : error;
    const { code, message } = shown;
    const statusCode = error.getStatus();
    const detail =
      error instanceof SignInFailed
        ? { reason: error.reason, detail: error.detail, reference: error.reference }
        : { loginUrl: this.options.signInPage, ...(error.ended ? { reason: error.ended } : {}) };
    const more = isRefusal(error) && this.options.refused?.(shown, request);
    return Response.json({ statusCode, code, message, ...detail, ...more }, { status: statusCode });
  }
}

const isRefusal = (error: SessionRequired | SignInFailed) => [401, 403].includes(error.getStatus());

/** The `error` that Auth.js has for a failure: pages made for it know no other. */
function authJsName({ reason, cause }: SignInFailed): string {
  if (signInFailureStatus[reason] === 403) return 'AccessDenied';
  const isFromProvider = typeof (cause as { error?: unknown } | undefined)?.error === 'string';
  return isFromProvider ? 'OAuthCallbackError' : 'Configuration';
}
