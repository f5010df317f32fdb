import { Inject, Injectable } from '@nestjs/common';
import { Auth, skipCSRFCheck } from '@auth/core';
import { EventError } from '@auth/core/errors';
import type { Account, Profile } from '@auth/core/types';
import { serialize } from 'cookie';
import {
  MethodNotAllowed,
  ProviderUnavailable,
  SignInFailed,
  UnknownAuthAction,
  type SignInFailure,
} from './auth.errors.js';
import type { AuthenticatedRequest, HttpRequest, HttpResponse } from './auth.types.js';
import { CsrfService } from './csrf/csrf.service.js';
import { isPrefetch } from './http/is-prefetch.js';
import { localPath } from './http/local-path.js';
import { requestTarget } from './http/request-target.js';
import { toWebRequest } from './http/to-web-request.js';
import { refusalFor, type AuthorizationError } from './refusal-for.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { SessionService } from './session/session.service.js';
import { isLoginTooOld } from './transaction/is-login-too-old.js';
import {
  LoginTransactions,
  type FinishedTransaction,
  type LoginTransaction,
} from './transaction/login-transactions.js';
import { ReturnTargets } from './transaction/return-targets.js';

/** Parameters of an authorization response, none of which may come twice (RFC 6749 3.1). */
const RESPONSE_PARAMS = ['code', 'state', 'iss', 'error'];

/** A longer target, which `ReturnTargets` has not made short, would not fit into the answer beside the address of the provider. */
const MAX_TARGET_LENGTH = 1_000;

interface Action {
  url: URL;
  name: string;
  /** the provider that signs in by redirecting the browser, if the action is about one */
  provider: string | undefined;
}

interface HowToAsk {
  /** the CSRF token was verified, or this application asks by itself */
  isTrusted?: boolean;
  onSignIn?: (account: Account) => void;
  /** why a sign-in is refused that the provider has approved */
  refusal?: (account: Account, profile: Profile) => SignInFailure | undefined;
}

/** The only caller of `Auth()`. */
@Injectable()
export class AuthEngine {
  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(LoginTransactions) private readonly transactions: LoginTransactions,
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(ReturnTargets) private readonly returns: ReturnTargets,
  ) {}

  /**
   * Answers a request below the base path. Throws `CsrfTokenInvalid`, `CrossSiteRequest`, `UnknownAuthAction` or
   * `SignInFailed`; the library's error is the `cause`.
   */
  async run(request: AuthenticatedRequest, response: HttpResponse): Promise<Response> {
    const { name, provider, url } = this.actionOf(request);
    if (provider && name === 'callback') {
      return this.callback(url, provider, request, response).catch((error: unknown) => {
        throw withAnswer(error, errorIn(url.searchParams));
      });
    }
    if (request.method === 'POST') this.csrf.verify(request);
    if (name === 'return') return this.return(url, request, response);
    if (name === 'session') return this.session(request, response);
    if (name === 'csrf') return json({ csrfToken: this.csrf.token(request, response) });
    // Enter in the address bar after a form was refused.
    if (request.method !== 'POST' && provider && name === 'signin' && this.options.pages.signIn)
      return redirect(this.options.pages.signIn, 302);
    if (request.method !== 'POST') return this.ask(request, url);
    if (provider && name === 'signin') return this.signIn(provider, request, response);
    if (name === 'signout') await this.sessions.end(request, response);
    return this.ask(request, url, { isTrusted: true });
  }

  private return({ searchParams }: URL, request: HttpRequest, response: HttpResponse): Response {
    if (request.method === 'HEAD' || isPrefetch(request.headers)) return new Response(null, { status: 204 });
    return redirect(this.returns.take(searchParams.get('to') ?? '', request, response), 302);
  }

  /** As Auth.js answers it, without its reading of the cookie: that knows nothing of sessions that were ended. */
  private async session(request: AuthenticatedRequest, response: HttpResponse): Promise<Response> {
    if (request.method !== 'POST') {
      // Throws where `load` would say that nobody is signed in, which a program would believe.
      await this.sessions.token(request, response);
      return json(await this.sessions.load(request, response));
    }
    const { data } = (request.body ?? {}) as { data?: unknown };
    return json(await this.sessions.update(request, response, data));
  }

  /**
   * The redirect to the provider, and the cookie its callback will be checked with. Throws `SignInFailed`.
   *
   * @param options.provider default: the first
   */
  async startSignIn(
    request: HttpRequest,
    response: HttpResponse,
    options: {
      provider?: string | undefined;
      callbackUrl?: unknown;
      params?: Record<string, unknown>;
      attempt?: number;
      /** of the redirect. Default 303 after a POST, else 302 */
      status?: 302 | 303;
    },
  ): Promise<Response> {
    const {
      provider = this.firstProvider(),
      attempt = 0,
      status = request.method === 'POST' ? 303 : 302,
    } = options;
    if (!provider) throw new UnknownAuthAction();
    const wanted = this.options.target(options.callbackUrl);
    const short =
      wanted.length > MAX_TARGET_LENGTH ? undefined : this.returns.addressFor(wanted, request, response);
    const target = short ?? this.options.defaultCallbackUrl;
    const url = new URL(`${this.options.origin}${this.options.basePath}/signin/${provider}`);
    // The login page may have been opened without the reason that the guard gives it, or with another.
    const reason = await this.sessions.endOf(request, response);
    const given = { ...options.params, ...(reason ? { reason } : {}) };
    const params = this.options.authorizationParams(given, request);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    const maxAge = params['max_age'] === undefined ? undefined : Number(params['max_age']);
    const kept = this.options.signInPolicy?.kept(given) ?? {};
    await this.checkProvider();

    const body = new URLSearchParams({ callbackUrl: target });
    const answer = await this.auth(new Request(url, { method: 'POST', body }), { isTrusted: true });
    const location = new URL(answer.headers.get('location') ?? '', url);
    location.searchParams.set(
      'state',
      await this.transactions.begin(
        answer,
        {
          provider,
          target,
          maxAge,
          prompt: params['prompt'],
          loginHint: params['login_hint'],
          kept,
          attempt,
        },
        request,
        response,
      ),
    );
    return redirect(location.href, status);
  }

  private async checkProvider(): Promise<void> {
    try {
      await this.options.signInPolicy?.checkProvider();
    } catch (cause) {
      throw cause instanceof ProviderUnavailable
        ? new SignInFailed('provider_unavailable', { cause })
        : cause;
    }
  }

  private async signIn(provider: string, request: HttpRequest, response: HttpResponse): Promise<Response> {
    const params = (request.body ?? {}) as Record<string, unknown>;
    const { callbackUrl } = params;
    const answer = await this.startSignIn(request, response, { provider, callbackUrl, params });
    // Scripts of Auth.js ask for the address instead of being sent there.
    return request.headers['x-auth-return-redirect']
      ? Response.json({ url: answer.headers.get('location') })
      : answer;
  }

  private async callback(
    url: URL,
    provider: string,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<Response> {
    // What only looks ahead must not use up the code: mail scanners, link previews, browsers guessing the next click.
    if (request.method === 'HEAD' || isPrefetch(request.headers)) return new Response(null, { status: 204 });
    const query = url.searchParams;
    if (RESPONSE_PARAMS.some((name) => query.getAll(name).length > 1))
      throw new SignInFailed('state_invalid');

    // An empty one is no issuer, and Auth.js would take it for none (RFC 9207 2.4).
    if (query.get('iss') === '') throw new SignInFailed('check_failed');

    const found = await this.transactions.take(query.getAll('state'), request, response);
    if ('stale' in found) {
      if (await this.sessions.load(request, response)) return redirect(this.options.defaultCallbackUrl, 302);
      if (found.attempt > 0) throw new SignInFailed(found.stale);
      return this.startSignIn(request, response, { provider, attempt: 1 });
    }
    if (found.provider !== provider) throw new SignInFailed('state_invalid');
    const cookies = {
      ...(await this.transactions.checkCookies(found, query.get('state') ?? '')),
      [this.options.callbackUrlCookie.name]: found.target,
    };
    try {
      const answer = await this.ask(request, url, {
        cookies,
        refusal: (account, profile) =>
          refusalByAge(account, found) ?? this.options.signInPolicy?.refusal(profile, found.kept),
        onSignIn: (account) => this.options.observer?.signedIn(account, request, response),
      });
      await this.sessions.endReplaced(request, response);
      return answer;
    } catch (error) {
      if (!(error instanceof SignInFailed) || error.reason !== 'login_too_old' || found.attempt > 0)
        throw error;
      return this.askForLogin(found, request, response);
    }
  }

  /** There are logins that do not look at `max_age`: what they all honour is `prompt=login`. */
  private askForLogin(
    { provider, target, maxAge, loginHint, kept }: LoginTransaction,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<Response> {
    const hint = loginHint === undefined ? {} : { login_hint: loginHint };
    return this.startSignIn(request, response, {
      provider,
      callbackUrl: target,
      params: { ...kept, ...hint, prompt: 'login', max_age: String(maxAge) },
      attempt: 1,
    });
  }

  /** Lets Auth.js answer a request of the browser. Of the cookies that belong to a sign-in it sees `cookies` and no other. */
  private async ask(
    request: HttpRequest,
    url: URL,
    { cookies = {}, ...how }: HowToAsk & { cookies?: Record<string, string> } = {},
  ): Promise<Response> {
    const { method, body, headers } = request;
    const fields = body as { callbackUrl?: unknown } | undefined;
    const { checkCookies, callbackUrlCookie, sessionCookie } = this.options;
    const names = [...Object.values(checkCookies), callbackUrlCookie].map(({ name }) => name);
    const own = Object.entries(cookies).map(([name, value]) => serialize(name, value));
    const asked: HttpRequest = {
      url: request.url,
      method: method === 'HEAD' ? 'GET' : method,
      headers: {
        ...headers,
        cookie: [withoutCookies(headers.cookie ?? '', names, sessionCookie.name), ...own].join('; '),
      },
      body: method === 'POST' ? { ...fields, callbackUrl: this.options.target(fields?.callbackUrl) } : body,
    };
    const answer = await this.auth(toWebRequest(asked, this.options.origin, url.pathname + url.search), how);
    return this.withoutLoginCookies(answer);
  }

  private async auth(
    request: Request,
    { isTrusted = false, onSignIn = () => undefined, refusal }: HowToAsk = {},
  ): Promise<Response> {
    let failure: Error | undefined;
    let exchanged: Account | undefined;
    let refused: SignInFailure | undefined;
    const accepts = (account: Account, profile: Profile) => {
      exchanged = account;
      refused = refusal?.(account, profile);
      return refused === undefined;
    };
    // An event of the program that fails is in the log, and changes nothing.
    const onError = (error: Error) => {
      if (!(error instanceof EventError)) failure = error;
    };
    const config = this.options.configFor(onError, onSignIn, accepts);
    const answer = await Auth(request, isTrusted ? { ...config, skipCSRFCheck } : config);
    if (!failure) return answer;
    if (exchanged) this.options.signInPolicy?.discard(exchanged);
    throw refused ? new SignInFailed(refused) : this.refusalFor(failure, new URL(request.url).searchParams);
  }

  private refusalFor(failure: Error, query: URLSearchParams): Error {
    const answer = errorIn(query);
    const meaning = answer && this.options.signInPolicy?.meaning(answer.error, answer.error_description);
    return refusalFor(failure, answer, meaning);
  }

  /** Auth.js keeps one sign-in per browser in these cookies; here each has its own. */
  private withoutLoginCookies(answer: Response): Response {
    const { checkCookies, callbackUrlCookie } = this.options;
    const names = [...Object.values(checkCookies), callbackUrlCookie].map(({ name }) => `${name}=`);
    const headers = new Headers(answer.headers);
    headers.delete('set-cookie');
    for (const line of answer.headers.getSetCookie()) {
      if (!names.some((name) => line.startsWith(name))) headers.append('set-cookie', line);
    }
    return new Response(answer.body, { status: answer.status, headers });
  }

  /** What a request asks for. `/callback` alone means the first provider. */
  private actionOf(request: HttpRequest): Action {
    const { basePath, providers, origin, mountPath, pages } = this.options;
    const target = requestTarget(request);
    const url = new URL(origin + target);
    // Another spelling of an address (`/./`, `%2e`, a backslash) would get past whoever looks at addresses before this.
    if (url.pathname !== target.split('?', 1)[0]) throw new UnknownAuthAction();
    const [, name = '', id] = /^\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname.slice(basePath.length)) ?? [];
    if (id && !providers.has(id)) throw new UnknownAuthAction();
    const meant = id ?? (name === 'callback' ? this.firstProvider() : undefined);
    if (meant && !id) url.pathname += `/${meant}`;
    if (!localPath(url.searchParams.get('callbackUrl'), origin, mountPath))
      url.searchParams.delete('callbackUrl');
    const isRedirecting = /^(oauth|oidc)$/.test(providers.get(meant ?? '') ?? '');
    const allowed = methodsFor(name, { isRedirecting, hasOwnPages: pages.signIn !== undefined });
    if (!allowed) throw new UnknownAuthAction();
    if (!allowed.includes(request.method)) throw new MethodNotAllowed(allowed);
    return { url, name, provider: isRedirecting ? meant : undefined };
  }

  private firstProvider(): string | undefined {
    return this.options.providers.keys().next().value;
  }
}

/** What the provider said is worth knowing, also where the callback was refused before anybody read it. */
const withAnswer = (error: unknown, answer: AuthorizationError | undefined) =>
  answer && error instanceof SignInFailed && error.cause === undefined
    ? new SignInFailed(error.reason, { cause: answer })
    : error;

/** What the provider says in an authorization response that is an error. */
function errorIn(query: URLSearchParams): AuthorizationError | undefined {
  const error = query.get('error');
  return error === null ? undefined : { error, error_description: query.get('error_description') ?? '' };
}

/** A sign-in that must show no page cannot ask for a login either (OpenID Connect Core 3.1.2.6). */
function refusalByAge(
  { id_token: idToken }: Account,
  { maxAge, takenSeconds, prompt }: FinishedTransaction,
): SignInFailure | undefined {
  if (maxAge === undefined || !isLoginTooOld(idToken, { maxAge, takenSeconds })) return undefined;
  return prompt === 'none' ? 'interaction_required' : 'login_too_old';
}

/** The methods of an action of Auth.js; `undefined` for what is none. */
function methodsFor(
  action: string,
  { isRedirecting, hasOwnPages }: { isRedirecting: boolean; hasOwnPages: boolean },
): string[] | undefined {
  const reading = ['GET', 'HEAD'];
  if (['csrf', 'providers', 'error', 'return'].includes(action)) return reading;
  if (['verify-request', 'webauthn-options'].includes(action)) return hasOwnPages ? undefined : reading;
  if (action === 'callback' && isRedirecting) return reading;
  // A program with a sign-in page of its own has no use for the other pages that Auth.js draws.
  if (action === 'signout' && hasOwnPages) return ['POST'];
  return ['callback', 'session', 'signin', 'signout'].includes(action) ? [...reading, 'POST'] : undefined;
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
