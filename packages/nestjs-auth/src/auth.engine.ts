import { Inject, Injectable } from '@nestjs/common';
import { Auth, skipCSRFCheck, type AuthConfig } from '@auth/core';
import { EventError } from '@auth/core/errors';
import type { JWTOptions } from '@auth/core/jwt';
import type { Account, Profile } from '@auth/core/types';
import { serialize } from 'cookie';
import {
  MethodNotAllowed,
  isProviderUnavailable,
  isSignInFailed,
  SignInFailed,
  UnknownAuthAction,
  type SignInFailure,
} from './auth.errors.js';
import type { AuthenticatedRequest, HttpRequest, HttpResponse } from './auth.types.js';
import { CsrfService } from './csrf/csrf.service.js';
import { localPath } from './http/local-path.js';
import { failurePage } from './failures/failure-page.js';
import { isPrefetch, requestTarget } from './http/request-facts.js';
import { toHttpResponse } from './http/to-http-response.js';
import { toWebRequest } from './http/to-web-request.js';
import { isLinkUsed, refusalFor, wrongPasswordIn, type AuthorizationError } from './failures/refusal-for.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { completedSignInPage } from './sign-in-page.js';
import { SessionService } from './session/session.service.js';
import {
  isLoginTooOld,
  loginAgeIn,
  LoginTransactions,
  type FinishedTransaction,
  type LoginTransaction,
} from './transaction/login-transactions.js';
import { ReturnTargets } from './transaction/return-targets.js';

/** Parameters of an authorization response, which must not be repeated (RFC 6749 3.1). */
const RESPONSE_PARAMS = ['code', 'state', 'iss', 'error'];

/** A longer one, which `ReturnTargets` did not shorten, would not fit into the response together with the authorization URL. */
const MAX_RETURN_TO_LENGTH = 1_000;

interface Action {
  url: URL;
  name: string;
  /** the OAuth or OpenID Connect provider of the action, if there is one */
  provider: string | undefined;
}

interface StartedSignIn extends Pick<LoginTransaction, 'provider' | 'returnTo' | 'attempt'> {
  params: Record<string, unknown>;
}

interface AuthCall {
  /** what the `jwt` callback of a sign-in receives as `session` */
  carriedOver?: object;
  /** for a request whose CSRF token or `state` was verified, or that this application makes itself */
  config?: Pick<AuthConfig, 'skipCSRFCheck'> & Partial<Pick<AuthConfig, 'providers'>>;
  onSignIn?: (account: Account) => void;
  /** receives the tokens of a sign-in that is refused after the code was exchanged */
  discard?: (account: Account) => void;
  /** returns why a sign-in that the provider has approved is refused */
  refusal?: (account: Account, profile: Profile) => SignInFailure | SignInFailed | undefined;
}

/** The only caller of `Auth()`. */
@Injectable()
export class AuthEngine {
  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(LoginTransactions) private readonly transactions: LoginTransactions,
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(ReturnTargets) private readonly returnTargets: ReturnTargets,
  ) {}

  /**
   * Answers a request below the base path.
   *
   * @throws `CsrfTokenInvalid`, `CrossSiteRequest`, `MethodNotAllowed`, `UnknownAuthAction` or `SignInFailed`, with the error of the
   *   library as `cause`
   */
  async answer(request: AuthenticatedRequest, response: HttpResponse): Promise<void> {
    const answer = await this.run(request, response);
    await toHttpResponse(answer, response, { withoutCookies: this.ownCookies });
  }

  /** Names of the cookies in which Auth.js stores one sign-in per browser: here each sign-in has its own cookie. */
  private get ownCookies(): string[] {
    return [this.options.nonceCookie.name, this.options.callbackUrlCookie.name];
  }

  private async run(request: AuthenticatedRequest, response: HttpResponse): Promise<Response> {
    const { name, provider, url } = this.actionOf(request);
    if (provider && name === 'callback') {
      return this.handleCallback(url, provider, request, response).catch((error: unknown) => {
        throw withAnswer(error, errorIn(url.searchParams));
      });
    }
    if (request.method === 'POST') this.csrf.verify(request);
    if (name === 'return') return this.redirectToReturnTarget(url, request, response);
    if (name === 'session') return this.handleSession(request, response);
    if (name === 'error') return failurePage(url.searchParams, this.options);
    if (name === 'csrf') return json({ csrfToken: this.csrf.token(request, response) });
    // A user reloads the address of a form that was refused.
    if (request.method !== 'POST' && provider && name === 'signin' && this.options.pages.signIn)
      return redirect(this.options.pages.signIn, 302);
    if (request.method !== 'POST') {
      const answer = await this.forward(request, url);
      return name === 'signin' ? completedSignInPage(answer, url.searchParams) : answer;
    }
    if (provider && name === 'signin') return this.handleSignIn(provider, request, response);
    if (name === 'signout') await this.sessions.end(request, response);
    return this.forward(request, url, { config: { skipCSRFCheck } });
  }

  private redirectToReturnTarget(
    { searchParams }: URL,
    request: HttpRequest,
    response: HttpResponse,
  ): Response {
    if (request.method === 'HEAD' || isPrefetch(request.headers)) return new Response(null, { status: 204 });
    return redirect(this.returnTargets.redeem(searchParams.get('to') ?? '', request, response), 302);
  }

  /** Responds as Auth.js does, which itself would not notice that a session was ended. */
  private async handleSession(request: AuthenticatedRequest, response: HttpResponse): Promise<Response> {
    if (request.method !== 'POST') {
      // Throws when the revocation store does not answer: `load` would return `null`, as if nobody were signed in.
      await this.sessions.token(request, response);
      return json(await this.sessions.load(request, response));
    }
    const { data } = (request.body ?? {}) as { data?: unknown };
    return json(await this.sessions.update(request, response, data));
  }

  /**
   * Returns the redirect to the provider, and sets the cookie with the checks of its callback.
   *
   * @param options.provider Default: the first
   * @throws `SignInFailed`
   */
  async startSignIn(
    request: HttpRequest,
    response: HttpResponse,
    options: {
      provider?: string | undefined;
      returnTo?: unknown;
      params?: Record<string, unknown>;
      attempt?: number;
      /** of the redirect. Default 303 after a POST, else 302 */
      status?: 302 | 303;
    },
  ): Promise<Response> {
    const { provider = this.firstProvider(), params = {}, attempt = 0 } = options;
    const { status = request.method === 'POST' ? 303 : 302 } = options;
    if (!provider) throw new UnknownAuthAction();
    const wanted = this.options.returnTo(options.returnTo);
    const short =
      wanted.length > MAX_RETURN_TO_LENGTH
        ? undefined
        : this.returnTargets.addressFor(wanted, request, response);
    const returnTo = short ?? this.options.defaultReturnTo;
    try {
      const location = await this.authorizationUrl(
        { provider, returnTo, params, attempt },
        request,
        response,
      );
      return redirect(location, status);
    } catch (error) {
      throw this.withReturnTo(error, returnTo);
    }
  }

  private async authorizationUrl(
    { provider, returnTo, params: given, attempt }: StartedSignIn,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<string> {
    const url = new URL(`${this.options.origin}${this.options.basePath}/signin/${provider}`);
    // Read the reason from the session: the login page may have been opened without the query of the guard.
    const reason = await this.sessions.endOf(request, response);
    const wishes = { ...given, ...(reason ? { reason } : {}) };
    const params = this.options.authorizationParams(wishes, request);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    const maxAge = params['max_age'] === undefined ? undefined : Number(params['max_age']);
    const kept = this.options.signInPolicy?.kept(wishes) ?? {};
    await this.checkProvider();

    const answer = await this.callAuthJs(new Request(url, { method: 'POST' }), {
      config: { skipCSRFCheck, providers: this.options.providersWithoutChecks },
    });
    const location = new URL(answer.headers.get('location') ?? '', url);
    const checks = this.transactions.begin(
      {
        provider,
        returnTo,
        maxAge,
        prompt: params['prompt'],
        loginHint: params['login_hint'],
        kept,
        attempt,
      },
      request,
      response,
    );
    // Each change of `location.searchParams` would serialize the address anew.
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(checks)) query.set(name, value);
    location.search = query.toString();
    return location.href;
  }

  /** A failed sign-in knows the page that was asked for, unless that is the usual one. */
  private withReturnTo(error: unknown, returnTo: string): unknown {
    if (isSignInFailed(error) && returnTo !== this.options.defaultReturnTo) error.returnTo = returnTo;
    return error;
  }

  private async checkProvider(): Promise<void> {
    try {
      await this.options.signInPolicy?.checkProvider();
    } catch (cause) {
      throw isProviderUnavailable(cause) ? new SignInFailed('provider_unavailable', { cause }) : cause;
    }
  }

  private async handleSignIn(
    provider: string,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<Response> {
    const params = (request.body ?? {}) as Record<string, unknown>;
    const { callbackUrl: returnTo } = params;
    const answer = await this.startSignIn(request, response, { provider, returnTo, params });
    // The client scripts of Auth.js request the address in place of a redirect.
    return request.headers['x-auth-return-redirect']
      ? Response.json({ url: answer.headers.get('location') })
      : answer;
  }

  private async handleCallback(
    url: URL,
    provider: string,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<Response> {
    // A prefetch, a link preview or a mail scanner must not redeem the code.
    if (request.method === 'HEAD' || isPrefetch(request.headers)) return new Response(null, { status: 204 });
    const query = url.searchParams;
    if (RESPONSE_PARAMS.some((name) => query.getAll(name).length > 1))
      throw new SignInFailed('state_invalid');

    // Auth.js treats an empty `iss` as a missing one; RFC 9207 2.4 requires a refusal.
    if (query.get('iss') === '') throw new SignInFailed('check_failed');

    const found = await this.transactions.redeem(query.getAll('state'), request, response);
    if ('stale' in found) {
      if (await this.sessions.load(request, response)) return redirect(this.options.defaultReturnTo, 302);
      if (found.attempt > 0) throw new SignInFailed(found.stale);
      return this.startSignIn(request, response, { provider, attempt: 1 });
    }
    if (found.provider !== provider) throw new SignInFailed('state_invalid');
    const cookies = {
      [this.options.nonceCookie.name]: this.transactions.nonceCookie(found),
      [this.options.callbackUrlCookie.name]: this.options.origin + found.returnTo,
    };
    const { signInPolicy, observer } = this.options;
    const current = this.sessions.lastToken(request);
    let signedIn: Account | undefined;
    try {
      const answer = await this.forward(request, url, {
        cookies,
        config: {
          skipCSRFCheck,
          providers: this.options.callbackProvider(provider, found.checks.pkce),
        },
        discard: (account) => signInPolicy?.discard(account, found.kept, current),
        carriedOver: signInPolicy?.carriedOver?.(found.kept, current) ?? found.kept,
        refusal: (account, profile) =>
          refusalByAge(account, found) ?? signInPolicy?.refusal(profile, found.kept, account),
        onSignIn: (account) => {
          signedIn = account;
          observer?.signedIn(account, request, response);
        },
      });
      await this.sessions.endReplaced(request, response);
      if (current && signedIn) signInPolicy?.replaced?.(current, found.kept, signedIn);
      return answer;
    } catch (error) {
      if (isSignInFailed(error) && error.reason === 'login_too_old' && found.attempt === 0)
        return this.restartWithLogin(found, request, response);
      throw this.withReturnTo(error, found.returnTo);
    }
  }

  /** Some login pages ignore `max_age`; all of them support `prompt=login`. */
  private restartWithLogin(
    { provider, returnTo, maxAge, loginHint, kept }: LoginTransaction,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<Response> {
    const hint = loginHint === undefined ? {} : { login_hint: loginHint };
    return this.startSignIn(request, response, {
      provider,
      returnTo,
      params: { ...kept, ...hint, prompt: 'login', max_age: String(maxAge) },
      attempt: 1,
    });
  }

  /** Forwards a request of the browser to Auth.js. Of the cookies of a sign-in, Auth.js receives only `cookies`. */
  private async forward(
    request: HttpRequest,
    url: URL,
    { cookies = {}, ...call }: AuthCall & { cookies?: Record<string, string> } = {},
  ): Promise<Response> {
    const { method, body, headers } = request;
    const fields = body as { callbackUrl?: unknown } | undefined;
    const own = Object.entries(cookies).map(([name, value]) => serialize(name, value));
    const cookie = [
      withoutCookies(headers.cookie ?? '', this.ownCookies, this.options.sessionCookie.name),
      ...own,
    ].join('; ');
    const forwarded: HttpRequest = {
      url: request.url,
      method: method === 'HEAD' ? 'GET' : method,
      headers: method === 'POST' ? { ...headers, cookie } : { cookie },
      body: method === 'POST' ? { ...fields, callbackUrl: this.options.returnTo(fields?.callbackUrl) } : body,
    };
    const answer = await this.callAuthJs(
      toWebRequest(forwarded, this.options.origin, url.pathname + url.search),
      call,
    );
    return withReturnTo(answer, fields?.callbackUrl);
  }

  private async callAuthJs(
    request: Request,
    { config: changes, onSignIn = () => undefined, discard, refusal, carriedOver }: AuthCall = {},
  ): Promise<Response> {
    let failure: Error | undefined;
    let exchanged: Account | undefined;
    let refused: SignInFailure | SignInFailed | undefined;
    const accepts = (account: Account, profile: Profile) => {
      exchanged = account;
      refused = refusal?.(account, profile);
      return refused === undefined;
    };
    // Auth.js logs an event handler that fails, and the sign-in goes on.
    const onError = (error: Error) => {
      if (!(error instanceof EventError)) failure = error;
    };
    const config = this.options.configFor(onError, onSignIn, accepts, carriedOver);
    // Auth.js encodes at sign-in only.
    const encode: JWTOptions['encode'] = ({ token }) => this.sessions.sealed(token);
    const answer = await Auth(request, { ...config, ...changes, jwt: { ...config.jwt, encode } });
    if (failure && isLinkUsed(failure)) return this.redirectToSignInPage(request.url, failure);
    const wrongPassword = failure && wrongPasswordIn(failure);
    if (wrongPassword && wrongPassword !== failure)
      return this.redirectToSignInPage(request.url, wrongPassword);
    if (!failure || wrongPassword) return answer;
    if (exchanged) discard?.(exchanged);
    if (refused) throw typeof refused === 'string' ? new SignInFailed(refused) : refused;
    throw this.refusalFor(failure, new URL(request.url).searchParams);
  }

  /** After a link that cannot be used, which has the page after sign-in in its address, or a wrong password. */
  private redirectToSignInPage(link: string, { type, code }: { type: string; code?: string }): Response {
    const page = new URL(this.options.signInPage, this.options.origin);
    page.searchParams.set('error', type);
    if (code !== undefined) page.searchParams.set('code', code);
    const returnTo = new URL(link).searchParams.get('callbackUrl');
    if (returnTo !== null) page.searchParams.set('callbackUrl', this.options.returnTo(returnTo));
    return redirect(page.href, 302);
  }

  private refusalFor(failure: Error, query: URLSearchParams): Error {
    const answer = errorIn(query);
    const meaning = answer && this.options.signInPolicy?.meaning(answer.error, answer.error_description);
    return refusalFor(failure, answer, meaning);
  }

  /**
   * Returns the action of a request. `/callback` without a provider means the first one.
   *
   * @throws `UnknownAuthAction` or `MethodNotAllowed`
   */
  private actionOf(request: HttpRequest): Action {
    const { basePath, providers, origin, mountPath, pages } = this.options;
    const target = requestTarget(request);
    const url = new URL(origin + target);
    // Another spelling of a path (`/./`, `%2e`, a backslash) would bypass checks of the path before this one, such as a rate limit.
    if (url.pathname !== target.split('?', 1)[0]) throw new UnknownAuthAction();
    const [, name = '', id] = /^\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname.slice(basePath.length)) ?? [];
    if (id && !providers.has(id)) throw new UnknownAuthAction();
    const providerId = id ?? (name === 'callback' ? this.firstProvider() : undefined);
    if (providerId && !id) url.pathname += `/${providerId}`;
    if (!localPath(url.searchParams.get('callbackUrl'), origin, mountPath))
      url.searchParams.delete('callbackUrl');
    const type = providers.get(providerId ?? '') ?? '';
    const isRedirecting = /^(oauth|oidc)$/.test(type);
    const hasEmail = [...providers.values()].includes('email');
    const allowed = methodsFor(name, { type, isRedirecting, hasEmail, pages });
    if (!allowed) throw new UnknownAuthAction();
    if (!allowed.includes(request.method)) throw new MethodNotAllowed(allowed);
    return { url, name, provider: isRedirecting ? providerId : undefined };
  }

  private firstProvider(): string | undefined {
    return this.options.providers.keys().next().value;
  }
}

/** Adds the error response of the provider to a failure that was found before the response was evaluated. */
const withAnswer = (error: unknown, answer: AuthorizationError | undefined) =>
  answer && isSignInFailed(error) && error.cause === undefined
    ? new SignInFailed(error.reason, { cause: answer })
    : error;

/** A wrong password leads back to the sign-in page, which needs to know the page after sign-in: Auth.js has it in a cookie. */
function withReturnTo(answer: Response, returnTo: unknown): Response {
  const location = new URL(answer.headers.get('location') ?? '', 'http://none.invalid');
  if (location.searchParams.get('error') !== 'CredentialsSignin' || typeof returnTo !== 'string')
    return answer;
  location.searchParams.set('callbackUrl', returnTo);
  return redirect(location.href, answer.status);
}

/** The authorization error response in a query (RFC 6749 4.1.2.1). */
function errorIn(query: URLSearchParams): AuthorizationError | undefined {
  const error = query.get('error');
  return error === null ? undefined : { error, error_description: query.get('error_description') ?? '' };
}

/** With `prompt=none` the provider may not ask for another login (OpenID Connect Core 3.1.2.6). */
function refusalByAge(
  { id_token: idToken }: Account,
  { maxAge, elapsedSeconds, prompt }: FinishedTransaction,
): SignInFailed | undefined {
  if (maxAge === undefined || !isLoginTooOld(idToken, maxAge, elapsedSeconds)) return undefined;
  return new SignInFailed(prompt === 'none' ? 'interaction_required' : 'login_too_old', {
    needed: { signInAgeSeconds: maxAge },
    held: { signInAgeSeconds: loginAgeIn(idToken) ?? 'unknown: no auth_time' },
  });
}

/** What follows the base path in addresses of Auth.js and of this module. */
export const authActions: readonly string[] =
  'callback csrf error providers return session signin signout verify-request webauthn-options'.split(' ');

/** The methods of an action of Auth.js; `undefined` for an unknown action. */
function methodsFor(
  action: string,
  {
    type,
    isRedirecting,
    hasEmail,
    pages,
  }: { type: string; isRedirecting: boolean; hasEmail: boolean; pages: ResolvedAuthOptions['pages'] },
): string[] | undefined {
  const safe = ['GET', 'HEAD'];
  if (['csrf', 'providers', 'error', 'return'].includes(action)) return safe;
  if (action === 'verify-request') return hasEmail && !pages.verifyRequest ? safe : undefined;
  if (action === 'webauthn-options') return pages.signIn === undefined ? safe : undefined;
  if (action === 'callback' && isRedirecting) return safe;
  if (action === 'callback' && /^(credentials|webauthn)$/.test(type)) return ['POST'];
  // A program with its own sign-in page does not use the other pages that Auth.js renders.
  if (action === 'signout' && pages.signIn !== undefined) return ['POST'];
  return ['callback', 'session', 'signin', 'signout'].includes(action) ? [...safe, 'POST'] : undefined;
}

const json = (body: unknown) => Response.json(body, { headers: { 'cache-control': 'private, no-store' } });

const redirect = (location: string, status: number) =>
  new Response(null, { status, headers: { location, 'cache-control': 'no-store' } });

/**
 * The `Cookie` header without `names`, and without session cookies of other ports: Auth.js takes every cookie whose name begins with
 * that of the session cookie for a part of it, and deletes it.
 */
const withoutCookies = (header: string, names: readonly string[], sessionName: string) =>
  header
    .split(';')
    .filter((pair) => {
      const name = pair.split('=', 1)[0]?.trim() ?? '';
      const isForeign = name.startsWith(sessionName) && !/^(\.\d+)?$/.test(name.slice(sessionName.length));
      return !isForeign && !names.includes(name);
    })
    .join(';');
