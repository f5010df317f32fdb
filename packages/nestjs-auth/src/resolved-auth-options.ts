import type { AuthConfig } from '@auth/core';
import type { Account, Profile } from '@auth/core/types';
import type { SessionToken } from './auth.types.js';
import type { AuthObserver, IAuthModuleOptions, SignInPolicy } from './auth.options.js';
import { isMountPath, localPath } from './http/local-path.js';
import { SessionTooLarge } from './auth.errors.js';
import { cookieSpec, type CookieSpec } from './session/cookie-spec.js';
import { largestMembers } from './session/packed-tokens.js';
import { SessionCodec, type SealedSession } from './session/session-codec.js';
import { CHUNK_LENGTH } from './session/session-cookie.js';
import type { SessionRefresh, SessionReload, SessionRevocations } from './session/session-extensions.js';

/** Servers accept 8 to 16 KB of request headers, which includes all cookies of a site. */
const MAX_COOKIES = 4;

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
  readonly checkCookies: { pkce: CookieSpec; state: CookieSpec; nonce: CookieSpec };
  readonly pages: { signIn?: string; error?: string };
  /** type of each provider by its id */
  readonly providers: ReadonlyMap<string, string>;
  readonly refresh: SessionRefresh | undefined;
  readonly reload: SessionReload | undefined;
  readonly revocations: SessionRevocations | undefined;
  readonly discard: IAuthModuleOptions['discard'];
  readonly resume: IAuthModuleOptions['resume'];
  readonly failurePage: IAuthModuleOptions['failurePage'];
  readonly observer: AuthObserver | undefined;
  readonly signInPolicy: SignInPolicy | undefined;
  readonly authorizationParams: NonNullable<IAuthModuleOptions['authorizationParams']>;
  readonly codec: SessionCodec;
  readonly callbacks: NonNullable<AuthConfig['callbacks']>;
  private readonly maxValueLength: number;
  private readonly config: AuthConfig;

  /** @throws for options that are insecure or cannot work */
  constructor(
    options: IAuthModuleOptions,
    private readonly path: string,
    private readonly prefix: () => string,
  ) {
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
      observer,
      signInPolicy,
      authorizationParams,
      ...rest
    } = options;
    this.origin = new URL(origin).origin;
    this.mountPath = mountPath ?? '';
    if (!isMountPath(this.mountPath))
      throw new Error('AuthModule: `mountPath` must be a path such as `/base`, or empty');
    this.property = property ?? 'user';
    const [first, ...others] = [secret].flat();
    if (!first || [first, ...others].some(({ length }) => length < 32)) {
      throw new Error('AuthModule: `secret` must have at least 32 characters');
    }
    this.secrets = [first, ...others];
    this.maxLifetimeSeconds = session?.maxLifetime ?? 43_200;
    this.maxAgeSeconds = Math.min(session?.maxAge ?? 3600, this.maxLifetimeSeconds);
    this.defaultReturnTo = defaultReturnTo ?? `${this.mountPath}/`;
    const maxCookies = session?.maxCookies ?? 2;
    if (!(maxCookies >= 1 && maxCookies <= MAX_COOKIES)) {
      throw new Error(`AuthModule: \`session.maxCookies\` must be 1 to ${MAX_COOKIES}`);
    }
    this.maxValueLength = maxCookies * CHUNK_LENGTH;
    this.pages = options.pages ?? {};
    this.refresh = refresh;
    this.reload = reload;
    this.revocations = revocations;
    this.discard = discard;
    this.resume = resume;
    this.failurePage = failurePage;
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
    this.checkCookies = {
      pkce: cookie('pkce.code_verifier'),
      state: cookie('state'),
      nonce: cookie('nonce'),
    };
    this.codec = new SessionCodec({
      secrets: this.secrets,
      cookieName: this.sessionCookie.name,
      formerCookieName: this.sessionCookie.formerName,
      port: new URL(this.origin).port,
      maxAgeSeconds: this.maxAgeSeconds,
      maxLifetimeSeconds: this.maxLifetimeSeconds,
    });
    this.providers = new Map(options.providers.map(idAndType));
    this.callbacks = { redirect: ({ url }) => this.origin + this.returnTo(url), ...options.callbacks };
    this.config = {
      ...rest,
      providers: options.providers.map(withChecks),
      callbacks: this.callbacks,
      trustHost: true,
      useSecureCookies: secure,
      secret: [...this.secrets],
      session: { strategy: 'jwt', maxAge: this.maxAgeSeconds },
      jwt: {
        // Auth.js encodes at sign-in only. A `jti` or `start` there is a claim of the provider, not of this session.
        encode: ({ token }) => this.seal(withoutIdentity(token)).value,
        decode: ({ token }) => this.codec.open(token ?? ''),
      },
      cookies: {
        ...rest.cookies,
        sessionToken: this.sessionCookie,
        csrfToken: this.csrfCookie,
        callbackUrl: this.callbackUrlCookie,
        pkceCodeVerifier: this.checkCookies.pkce,
        state: this.checkCookies.state,
        nonce: this.checkCookies.nonce,
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
   */
  configFor(
    onError: (error: Error) => void,
    onSignIn: (account: Account) => void,
    accepts: (account: Account, profile: Profile) => boolean,
  ): AuthConfig {
    const { logger, events } = this.config;
    return {
      ...this.config,
      basePath: this.basePath,
      callbacks: {
        ...this.callbacks,
        signIn: (message) =>
          (!message.account || accepts(message.account, message.profile ?? {})) &&
          (this.callbacks.signIn?.(message) ?? true),
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
          logger?.error?.(error);
        },
      },
    };
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

function idAndType(provider: Provider): [id: string, type: string] {
  const { id, type, options } = typeof provider === 'function' ? provider() : provider;
  return [(options as { id?: string } | undefined)?.id ?? id, type];
}

function withoutIdentity(token: SessionToken | undefined): SessionToken {
  const fresh: SessionToken = { ...token };
  delete fresh.jti;
  delete fresh['start'];
  return fresh;
}

type Provider = IAuthModuleOptions['providers'][number];

/** By default Auth.js sends neither `state` nor `nonce`. */
function withChecks(provider: Provider): Provider {
  const given = typeof provider === 'function' ? provider() : provider;
  const { options } = given as { options?: { checks?: unknown } };
  const hasChecks = 'checks' in given || options?.checks !== undefined;
  return given.type === 'oidc' && !hasChecks
    ? ({ ...given, checks: ['pkce', 'state', 'nonce'] } as Provider)
    : provider;
}
