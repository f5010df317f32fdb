import { Inject, Injectable } from '@nestjs/common';
import { Auth } from '@auth/core';
import {
  AccessDenied,
  InvalidCheck,
  MissingCSRF,
  OAuthCallbackError,
  UnknownAction,
} from '@auth/core/errors';
import { parse } from 'cookie';
import {
  AuthError,
  CsrfTokenInvalid,
  ProviderUnavailable,
  SessionTooLarge,
  SignInFailed,
  UnknownAuthAction,
} from './auth.errors.js';
import type { HttpRequest } from './auth.types.js';
import { causeOf } from './http/describe-error.js';
import { localPath } from './http/local-path.js';
import { requestTarget } from './http/request-target.js';
import { toWebRequest } from './http/to-web-request.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/** The only caller of `Auth()`. */
@Injectable()
export class AuthEngine {
  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  /**
   * Lets Auth.js answer a request below the base path.
   * Throws `CsrfTokenInvalid`, `UnknownAuthAction` or `SignInFailed`; the library's error is the `cause`.
   */
  async run(request: HttpRequest): Promise<Response> {
    const { url, action } = this.internalUrl(request);
    // A HEAD request of a mail scanner or a preview must not use up the code.
    if (request.method === 'HEAD' && action === 'callback') return new Response(null);

    let failure: Error | undefined;
    const config = this.options.configFor((error) => (failure = error));
    const { origin } = this.options;
    const response = await Auth(
      toWebRequest(this.withTarget(request), origin, url.pathname + url.search),
      config,
    );
    if (failure) throw refusalFor(failure, url.searchParams.get('error'));
    return response;
  }

  /**
   * The URL Auth.js sees: `/callback` alone means the only provider, and the query of a sign-in is dropped because
   * Auth.js would copy it into the authorization request.
   */
  private internalUrl(request: HttpRequest): { url: URL; action: string } {
    if (!['GET', 'HEAD', 'POST'].includes(request.method)) throw new UnknownAuthAction();
    const { basePath, providerIds, origin, pages } = this.options;
    const url = new URL(origin + requestTarget(request));
    const [, action = '', id] = /^\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname.slice(basePath.length)) ?? [];
    if (id && !providerIds.includes(id)) throw new UnknownAuthAction();
    // A program with a sign-in page of its own has no use for the other pages that Auth.js draws.
    if (pages.signIn && request.method !== 'POST' && /^(signout|verify-request)$/.test(action))
      throw new UnknownAuthAction();
    if (action === 'callback' && !id && providerIds.length === 1) url.pathname += `/${providerIds[0]}`;
    if (action === 'signin' && request.method === 'POST') url.search = '';
    if (!localPath(url.searchParams.get('callbackUrl'), origin)) url.searchParams.delete('callbackUrl');
    return { url, action };
  }

  /**
   * Gives a sign-in that names no page to return to the default one, not the one of an earlier attempt, and hides a
   * remembered target that is none: Auth.js would refuse the whole request.
   */
  private withTarget({ method, url, headers, body }: HttpRequest): HttpRequest {
    const fields = body as { callbackUrl?: unknown } | undefined;
    const { name } = this.options.callbackUrlCookie;
    const cookie = headers.cookie ?? '';
    const isUsable = localPath(parse(cookie)[name], this.options.origin) !== undefined;
    return {
      method: method === 'HEAD' ? 'GET' : method,
      url,
      headers: { ...headers, cookie: isUsable ? cookie : withoutCookie(cookie, name) },
      body: method === 'POST' ? { ...fields, callbackUrl: this.options.target(fields?.callbackUrl) } : body,
    };
  }
}

/** What others have put into the header stays as it is: it need not even be a cookie. */
const withoutCookie = (header: string, name: string) =>
  header
    .split(';')
    .filter((pair) => pair.split('=', 1)[0]?.trim() !== name)
    .join(';');

/** @param answer the `error` of the authorization response, which Auth.js's own error does not carry */
function refusalFor(error: Error, answer: string | null): AuthError {
  if (error instanceof UnknownAction) return new UnknownAuthAction();
  if (error instanceof MissingCSRF) return new CsrfTokenInvalid();
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 8;
    cause = causeOf(cause), depth++
  ) {
    if (cause instanceof AccessDenied) return new SignInFailed('access_denied', { cause: error });
    if (cause instanceof InvalidCheck) return new SignInFailed('check_failed', { cause: error });
    if (cause instanceof SessionTooLarge) return new SignInFailed('session_too_large', { cause: error });
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
