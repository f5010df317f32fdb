import { Inject, Injectable } from '@nestjs/common';
import { Auth, skipCSRFCheck, type AuthConfig } from '@auth/core';
import { AccessDenied, InvalidCheck, OAuthCallbackError, UnknownAction } from '@auth/core/errors';
import { AuthError, ProviderUnavailable, SignInFailed, UnknownAuthAction } from './auth.errors.js';
import type { HttpRequest, HttpResponse } from './auth.types.js';
import { CsrfService } from './csrf/csrf.service.js';
import { toWebRequest } from './http/to-web-request.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/** The only caller of `Auth()`. */
@Injectable()
export class AuthEngine {
  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    private readonly csrf: CsrfService,
  ) {}

  /** The CSRF token for the forms of a page; see `CsrfService`. */
  csrfToken(request: HttpRequest, response: HttpResponse) {
    return this.csrf.token(request, response);
  }

  /**
   * Lets Auth.js answer a request below the base path.
   * Throws `CsrfTokenInvalid`, `UnknownAuthAction` or `SignInFailed`; the library's error is the `cause`.
   */
  async run(request: HttpRequest): Promise<Response> {
    const url = this.internalUrl(request);
    const isCallback = url.pathname.startsWith(`${this.options.basePath}/callback`);
    if (request.method === 'POST' && !isCallback) this.csrf.verify(request);

    let failure: Error | undefined;
    const config: AuthConfig = {
      ...this.options.config,
      skipCSRFCheck,
      logger: { ...this.options.config.logger, error: (error) => void (failure = error) },
    };
    const response = await Auth(
      toWebRequest(this.withTarget(request), this.options.origin, url.href),
      config,
    );
    if (failure) throw refusalFor(failure, url.searchParams.get('error'));
    return response;
  }

  /**
   * The URL Auth.js sees: `/callback` alone means the only provider, and the query of a sign-in is dropped
   * because Auth.js would copy it into the authorization request.
   */
  private internalUrl(request: HttpRequest): URL {
    const url = new URL(request.originalUrl ?? request.url, this.options.origin);
    const { basePath, providerIds } = this.options;
    const [, action, id] =
      /^\/(signin|callback)(?:\/([^/]+))?$/.exec(url.pathname.slice(basePath.length)) ?? [];
    if (id && !providerIds.includes(id)) throw new UnknownAuthAction();
    if (action === 'callback' && !id && providerIds.length === 1) url.pathname += `/${providerIds[0]}`;
    if (action === 'signin' && request.method === 'POST') url.search = '';
    return url;
  }

  /** Gives a sign-in that names no page to return to the default one, not the one of an earlier attempt. */
  private withTarget(request: HttpRequest): HttpRequest {
    const body = request.body as { callbackUrl?: unknown } | undefined;
    if (request.method !== 'POST' || body?.callbackUrl) return request;
    const { method, url, headers } = request;
    return { method, url, headers, body: { ...body, callbackUrl: this.options.defaultCallbackUrl } };
  }
}

/** @param answer the `error` of the authorization response, which Auth.js's own error does not carry */
function refusalFor(error: Error, answer: string | null): AuthError {
  if (error instanceof UnknownAction) return new UnknownAuthAction();
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 8;
    cause = causeOf(cause), depth++
  ) {
    if (cause instanceof AccessDenied) return new SignInFailed('access_denied', { cause: error });
    if (cause instanceof InvalidCheck) return new SignInFailed('check_failed', { cause: error });
    if (cause instanceof ProviderUnavailable)
      return new SignInFailed('provider_unavailable', { cause: error });
    if (cause instanceof OAuthCallbackError) {
      return new SignInFailed(reasons[answer ?? ''] ?? 'provider_error', { cause: error });
    }
  }
  return new SignInFailed('provider_error', { cause: error });
}

/** `error` values of an authorization response (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6). */
const reasons: Record<string, SignInFailed['reason']> = {
  access_denied: 'access_denied',
  temporarily_unavailable: 'provider_unavailable',
};

/** Auth.js puts the original error into `cause.err`. */
const causeOf = ({ cause }: Error): unknown => (cause as { err?: unknown } | undefined)?.err ?? cause;
