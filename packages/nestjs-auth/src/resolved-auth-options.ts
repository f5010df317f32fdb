import { customFetch, type AuthConfig } from '@auth/core';
import { Logger } from '@nestjs/common';
import type { Account, Profile } from '@auth/core/types';
import type { SessionToken } from './auth.types.js';
import type { AuthObserver, IAuthModuleOptions, SignInPolicy } from './auth.options.js';
import { localPath } from './http/local-path.js';
import { checkOptions, DEFAULT_MAX_LIFETIME_SECONDS } from './option-checks.js';
import { SessionTooLarge, SignInFailed } from './auth.errors.js';
import { withEndpoints } from './provider-options.js';
import { OidcRefresh } from './refresh/oidc-refresh.js';
import { isUserError } from './failures/refusal-for.js';
import { cookieSpec, type CookieSpec } from './session/cookie-spec.js';
import { largestMembers } from './session/packed-tokens.js';
import { RevokedSessions } from './session/revoked-sessions.js';
import { SessionCodec, type SealedSession } from './session/session-codec.js';
import { CHUNK_LENGTH } from './session/session-cookie.js';
import type { SessionRefresh, SessionReload, SessionRevocations } from './session/session-extensions.js';

const logger = new Logger('Auth');

/** The options with defaults and derived values, shared by guard, controller and filter. */
export class ResolvedAuthOptions {
  readonly origin: string;
  readonly mountPath: string;
  readonly property: string;
  readonly secrets: readonly [string, ...string[]];
  readonly maxAgeSeconds: number;
  readonly maxLifetimeSeconds: number;
  readonly defaultReturnTo: string;
  readonly sessionCookie: CookieSpec;
  readonly csrfCookie: CookieSpec;
  readonly callbackUrlCookie: CookieSpec;
  /** prefix of the check cookies: one for each pending sign-in */
  readonly loginCookie: CookieSpec;
  /** prefix of the cookie of a long return target */
  readonly returnCookie: CookieSpec;
  readonly nonceCookie: CookieSpec;
  readonly pages: { signIn?: string; error?: string; verifyRequest?: string };
  /** type of each provider by its id */
  readonly providers: ReadonlyMap<string, string>;
  /** names of the checks of each provider by its id */
  readonly checks: ReadonlyMap<string, readonly string[]>;
  /** for an authorization request whose checks `LoginTransactions` creates */
  readonly providersWithoutChecks: AuthConfig['providers'];
  /** the testing kit replaces it */
  refresh: SessionRefresh | undefined;
  readonly reload: SessionReload | undefined;
  readonly revocations: SessionRevocations;
  readonly discard: IAuthModuleOptions['discard'];
  readonly resume: IAuthModuleOptions['resume'];
  readonly failurePage: IAuthModuleOptions['failurePage'];
  readonly rolesRefusal: IAuthModuleOptions['rolesRefusal'];
  readonly credentials: IAuthModuleOptions['credentials'];
  readonly refused: IAuthModuleOptions['refused'];
  readonly observer: AuthObserver | undefined;
  readonly signInPolicy: SignInPolicy | undefined;
  readonly authorizationParams: NonNullable<IAuthModuleOptions['authorizationParams']>;
  readonly codec: SessionCodec;
  readonly callbacks: NonNullable<AuthConfig['callbacks']>;
  readonly events: NonNullable<AuthConfig['events']>;
  private readonly oidcRefresh: OidcRefresh | undefined;
  private readonly roles: IAuthModuleOptions['roles'];
  private readonly maxValueLength: number;
  private readonly config: AuthConfig;

  /** @throws for options that are insecure or cannot work */
  constructor(
    options: IAuthModuleOptions,
    private readonly path: string,
    private readonly prefix: () => string,
  ) {
    const warnings = checkOptions(options);
    const {
      property,
      origin,
      mountPath,
      secret,
      defaultReturnTo,
      session,
      refresh,
      reload,
      revocations,
      discard,
      resume,
      failurePage,
      rolesRefusal,
      credentials,
      refused,
      observer,
      signInPolicy,
      authorizationParams,
      roles,
      ...rest
    } = options;
    // A program in JavaScript may have them: `raw` would return cookies to callers.
    const config: Omit<AuthConfig, 'secret' | 'session'> = { ...rest };
    delete config.skipCSRFCheck;
    delete config.raw;
    for (const warning of warnings) logger.warn(warning);
    this.origin = new URL(origin).origin;
    this.mountPath = mountPath ?? '';
    this.property = property ?? 'user';
    // `checkOptions` has refused an empty list.
    this.secrets = [secret].flat() as [string, ...string[]];
    this.maxLifetimeSeconds = session?.maxLifetime ?? DEFAULT_MAX_LIFETIME_SECONDS;
    this.maxAgeSeconds = session?.maxAge ?? Math.min(3600, this.maxLifetimeSeconds);
    this.defaultReturnTo = defaultReturnTo ?? `${this.mountPath}/`;
    this.maxValueLength = (session?.maxCookies ?? 2) * CHUNK_LENGTH;
    this.pages = options.pages ?? {};
    this.oidcRefresh =
      refresh === undefined ? new OidcRefresh(options.providers, this.maxAgeSeconds) : undefined;
    this.refresh = refresh || this.oidcRefresh;
    this.roles = roles;
    this.events = options.events ?? {};
    this.reload = reload;
    this.revocations = revocations ?? new RevokedSessions(this.maxLifetimeSeconds);
    this.discard = discard;
    this.resume = resume;
    this.failurePage = failurePage;
    this.rolesRefusal = rolesRefusal;
    this.credentials = credentials;
    this.refused = refused;
    this.observer = observer;
    this.signInPolicy = signInPolicy;
    this.authorizationParams = authorizationParams ?? (() => ({}));

    const secure = this.origin.startsWith('https:');
    const cookie = (name: string) => cookieSpec(`authjs.${name}`, this.origin, this.mountPath);
    this.sessionCookie = cookie('session-token');
    this.csrfCookie = cookie('csrf-token');
    this.callbackUrlCookie = cookie('callback-url');
    this.loginCookie = cookie('login');
    this.returnCookie = cookie('return');
    this.nonceCookie = cookie('nonce');
    this.codec = new SessionCodec({
      secrets: this.secrets,
      cookieName: this.sessionCookie.name,
      formerCookieName: this.sessionCookie.formerName,
      port: new URL(this.origin).port,
      maxAgeSeconds: this.maxAgeSeconds,
      maxLifetimeSeconds: this.maxLifetimeSeconds,
    });
    const providers = options.providers.map(withEndpoints);
    this.providers = new Map(providers.map((provider) => [idOf(provider), made(provider).type]));
    this.checks = new Map(providers.map((provider) => [idOf(provider), checksOf(provider)]));
    this.providersWithoutChecks = providers.map((provider) => withChecks(provider, ['none']));
    this.callbacks = { redirect: ({ url }) => this.origin + this.returnTo(url), ...options.callbacks };
    this.config = {
      ...config,
      providers: providers.map((provider) => withChecks(provider, checksOf(provider))),
      callbacks: this.callbacks,
      trustHost: true,
      useSecureCookies: secure,
      secret: [...this.secrets],
      session: { strategy: 'jwt', maxAge: this.maxAgeSeconds },
      jwt: { decode: ({ token }) => this.codec.open(token ?? '') },
      cookies: {
        ...rest.cookies,
        sessionToken: this.sessionCookie,
        csrfToken: this.csrfCookie,
        callbackUrl: this.callbackUrlCookie,
        nonce: this.nonceCookie,
      },
    };
  }

  /** Path of the routes of Auth.js, with `mountPath` and the global prefix. */
  get basePath(): string {
    return this.mountPath + this.prefix() + this.path;
  }

  get signInPage(): string {
    return this.pages.signIn ?? `${this.basePath}/signin`;
  }

  get errorPage(): string {
    return this.pages.error ?? `${this.basePath}/error`;
  }

  /**
   * Returns the configuration of one call of `Auth()`.
   *
   * @param onError called with the error before Auth.js turns it into a response
   * @param onSignIn called when a sign-in has succeeded
   * @param accepts whether a sign-in that the provider has approved may create a session
   * @param carriedOver what the `jwt` callback of the sign-in receives as `session`
   */
  configFor(
    onError: (error: Error) => void,
    onSignIn: (account: Account) => void,
    accepts: (account: Account, profile: Profile) => boolean,
    carriedOver?: object,
  ): AuthConfig {
    const { logger, events, adapter } = this.config;
    return {
      ...this.config,
      basePath: this.basePath,
      callbacks: {
        ...this.callbacks,
        signIn: (message) => {
          const { user, account, profile } = message;
          // Auth.js makes a random id for every sign-in. An adapter has the ids of its own users.
          const id = account ? idAtProvider(account, profile) : undefined;
          if (id !== undefined && !adapter) user.id = id;
          const isAccepted = !account || accepts(account, profile ?? {});
          return isAccepted && (this.callbacks.signIn?.(message) ?? true);
        },
        jwt: (message) =>
          this.sessionToken(carriedOver ? { ...message, session: carriedOver as unknown } : message),
      },
      events: {
        ...events,
        signIn: async (message) => {
          if (message.account) onSignIn(message.account);
          await events?.signIn?.(message);
        },
      },
      logger: {
        ...logger,
        error: (error) => {
          onError(error);
          if (!isUserError(error)) logger?.error?.(error);
        },
      },
    };
  }

  /**
   * The provider of a callback. Auth.js compares the nonce. It would decrypt two more cookies for the `state`, which
   * `LoginTransactions` has compared, and for the PKCE verifier, which the token request gets here.
   */
  callbackProvider(id: string, verifier: string | undefined): AuthConfig['providers'] {
    return this.config.providers
      .filter((provider) => idOf(provider) === id)
      .map((provider) => ({
        ...withChecks(provider, checksOf(provider).includes('nonce') ? ['nonce'] : ['none']),
        [customFetch]: withVerifier(fetchOf(provider), verifier),
      })) as AuthConfig['providers'];
  }

  /**
   * The content of the session of a sign-in.
   *
   * @param rolesOf in place of the option `roles`
   */
  async sessionToken(
    message: Parameters<JwtCallback>[0],
    rolesOf = this.roles,
  ): Promise<SessionToken | null> {
    // Only a sign-in has an account.
    const { account, profile, user } = message as Partial<typeof message>;
    const roles: unknown = account && rolesOf?.(profile ?? (user as Profile), account);
    if (account && rolesOf && !isListOfStrings(roles))
      throw new SignInFailed('provider_misconfigured', {
        cause: new Error('The option `roles` must return a list of strings'),
      });
    const token = roles ? { ...message.token, roles } : message.token;
    const made = this.callbacks.jwt ? await this.callbacks.jwt({ ...message, token }) : token;
    return made && account ? { ...made, ...this.oidcRefresh?.tokensOf(account, made) } : made;
  }

  /**
   * Encrypts a session.
   *
   * @throws `SessionTooLarge` when a browser or a proxy would refuse its cookies
   */
  seal(token: SessionToken): SealedSession {
    const sealed = this.codec.seal(token);
    if (sealed.value.length > this.maxValueLength) {
      throw new SessionTooLarge(sealed.value.length, this.maxValueLength, largestMembers(token));
    }
    return sealed;
  }

  /** The page after sign-in: `wanted` when it is a page of this application, else the default. */
  returnTo(wanted: unknown): string {
    return localPath(wanted, this.origin, this.mountPath) ?? this.defaultReturnTo;
  }
}

const isListOfStrings = (value: unknown) =>
  Array.isArray(value) && value.every((member) => typeof member === 'string');

type JwtCallback = NonNullable<NonNullable<AuthConfig['callbacks']>['jwt']>;

/** Names a user for good: OpenID Connect Core 5.7, and for OAuth what `profile()` of the provider returns. */
function idAtProvider(
  { type, providerAccountId }: Account,
  profile: Profile | undefined,
): string | undefined {
  if (type === 'oidc') return profile?.sub ?? providerAccountId;
  return type === 'oauth' ? providerAccountId : undefined;
}

type Provider = IAuthModuleOptions['providers'][number];
interface Checked {
  id?: string;
  checks?: string[];
  [customFetch]?: typeof fetch;
}
type Given = Exclude<Provider, () => unknown> & Checked;

const made = (provider: Provider) => (typeof provider === 'function' ? provider() : provider) as Given;
const optionsOf = (provider: Provider) => made(provider).options as Checked | undefined;
const idOf = (provider: Provider) => optionsOf(provider)?.id ?? made(provider).id;

/** By default Auth.js sends neither `state` nor `nonce`. */
function checksOf(provider: Provider): string[] {
  const { type, checks } = made(provider);
  return optionsOf(provider)?.checks ?? checks ?? (type === 'oidc' ? ['pkce', 'state', 'nonce'] : ['pkce']);
}

const withChecks = (provider: Provider, checks: string[]): Provider =>
  ['oauth', 'oidc'].includes(made(provider).type)
    ? ({ ...made(provider), checks, options: { ...optionsOf(provider), checks } } as Provider)
    : provider;

const fetchOf = (provider: Provider): typeof fetch =>
  made(provider)[customFetch] ?? optionsOf(provider)?.[customFetch] ?? fetch;

/** Adds the PKCE verifier to the token request (RFC 7636 4.5). */
const withVerifier =
  (send: typeof fetch, verifier: string | undefined): typeof fetch =>
  (input, init) => {
    const { body } = init ?? {};
    if (verifier !== undefined && body instanceof URLSearchParams && body.has('code'))
      body.set('code_verifier', verifier);
    return send(input, init);
  };
