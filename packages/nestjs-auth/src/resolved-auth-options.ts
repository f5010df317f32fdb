import type { AuthConfig } from '@auth/core';
import type { Account, Profile } from '@auth/core/types';
import type { SessionToken } from './auth.types.js';
import type { AuthObserver } from './auth.observer.js';
import type { IAuthModuleOptions } from './auth.options.js';
import { localPath } from './http/local-path.js';
import { SessionTooLarge } from './auth.errors.js';
import { cookieSpec, type CookieSpec } from './session/cookie-spec.js';
import { largestMembers } from './session/largest-members.js';
import { SessionCodec, type SealedSession } from './session/session-codec.js';
import { CHUNK_LENGTH } from './session/session-cookie.js';
import type { SignInPolicy } from './sign-in.policy.js';
import type { SessionRefresh } from './session/session-refresh.js';
import type { SessionReload } from './session/session-reload.js';
import type { SessionRevocations } from './session/session-revocations.js';

/** Servers take 8 to 16 KB of request headers, all cookies of a site together. */
const MAX_COOKIES = 4;

/** The one set of options that guard, controller and pages share. */
export class ResolvedAuthOptions {
  readonly origin: string;
  readonly mountPath: string;
  readonly property: string;
  readonly secrets: readonly [string, ...string[]];
  readonly maxAgeSeconds: number;
  readonly maxLifetimeSeconds: number;
  readonly defaultCallbackUrl: string;
  readonly sessionCookie: CookieSpec;
  readonly csrfCookie: CookieSpec;
  readonly callbackUrlCookie: CookieSpec;
  /** each sign-in under way has one of this name and its own */
  readonly loginCookie: CookieSpec;
  /** the address a sign-in ends at waits in one of this name and its own, where it is long */
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

  /** Throws where an option would make the application insecure or unable to sign anyone in. */
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
      defaultCallbackUrl,
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
    this.property = property ?? 'user';
    const [first, ...others] = [secret].flat();
    if (!first || [first, ...others].some(({ length }) => length < 32)) {
      throw new Error('AuthModule: `secret` needs at least 32 characters');
    }
    this.secrets = [first, ...others];
    this.maxLifetimeSeconds = session?.maxLifetime ?? 43_200;
    this.maxAgeSeconds = Math.min(session?.maxAge ?? 3600, this.maxLifetimeSeconds);
    this.defaultCallbackUrl = defaultCallbackUrl ?? `${this.mountPath}/`;
    const maxCookies = session?.maxCookies ?? 2;
    if (!(maxCookies >= 1 && maxCookies <= MAX_COOKIES)) {
      throw new Error(`AuthModule: \`session.maxCookies\` is 1 to ${MAX_COOKIES}`);
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
    this.callbacks = { redirect: ({ url }) => this.origin + this.target(url), ...options.callbacks };
    this.config = {
      ...rest,
      providers: options.providers.map(withChecks),
      callbacks: this.callbacks,
      trustHost: true,
      useSecureCookies: secure,
      secret: [...this.secrets],
      session: { strategy: 'jwt', maxAge: this.maxAgeSeconds },
      jwt: {
        // Auth.js encodes at sign-in only. What the provider calls `jti` or `start` says nothing about this session.
        encode: ({ token }) => this.seal(asNew(token)).value,
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

  /** Where Auth.js answers, the global prefix of the program and the path it is mounted at included. */
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
   * What one call of `Auth()` gets.
   *
   * @param onError hears of a failure before it becomes an answer
   * @param onSignIn hears of a sign-in that succeeded
   * @param accepts has the last word before there is a session
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

  /** Seals a session. Throws `SessionTooLarge` rather than set cookies that a browser or a proxy would refuse. */
  seal(token: SessionToken): SealedSession {
    const sealed = this.codec.seal(token);
    if (sealed.value.length > this.maxValueLength) {
      throw new SessionTooLarge(sealed.value.length, this.maxValueLength, largestMembers(token));
    }
    return sealed;
  }

  /** The page a sign-in ends on: `wanted` when it is one of this application's, else the default. */
  target(wanted: unknown): string {
    return localPath(wanted, this.origin, this.mountPath) ?? this.defaultCallbackUrl;
  }
}

function idAndType(provider: Provider): [id: string, type: string] {
  const { id, type, options } = typeof provider === 'function' ? provider() : provider;
  return [(options as { id?: string } | undefined)?.id ?? id, type];
}

function asNew(token: SessionToken | undefined): SessionToken {
  const fresh: SessionToken = { ...token };
  delete fresh.jti;
  delete fresh['start'];
  return fresh;
}

type Provider = IAuthModuleOptions['providers'][number];

/** Auth.js sends neither state nor nonce unless it is told to. */
function withChecks(provider: Provider): Provider {
  const given = typeof provider === 'function' ? provider() : provider;
  const { options } = given as { options?: { checks?: unknown } };
  const hasChecks = 'checks' in given || options?.checks !== undefined;
  return given.type === 'oidc' && !hasChecks
    ? ({ ...given, checks: ['pkce', 'state', 'nonce'] } as Provider)
    : provider;
}
