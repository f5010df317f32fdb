import type { AuthConfig } from '@auth/core';
import type { SessionToken } from './auth.types.js';
import type { IAuthModuleOptions } from './auth.options.js';
import { localPath } from './http/local-path.js';
import { SessionTooLarge } from './auth.errors.js';
import { SessionCodec, type SealedSession } from './session/session-codec.js';
import { CHUNK_LENGTH } from './session/session-cookie.js';
import type { SessionRefresh } from './session/session-refresh.js';

/** One cookie of this module: its name and attributes. */
export interface CookieSpec {
  name: string;
  options: { httpOnly: true; sameSite: 'lax'; path: '/'; secure: boolean };
}

/** The one set of options that guard, controller and pages share. */
export class ResolvedAuthOptions {
  readonly origin: string;
  readonly property: string;
  private readonly maxValueLength: number;
  readonly secrets: readonly string[];
  readonly maxAgeSeconds: number;
  readonly maxLifetimeSeconds: number;
  readonly defaultCallbackUrl: string;
  readonly signInPage: string;
  readonly errorPage: string;
  readonly sessionCookie: CookieSpec;
  readonly csrfCookie: CookieSpec;
  readonly callbackUrlCookie: CookieSpec;
  readonly pages: { signIn?: string; error?: string };
  readonly providerIds: readonly string[];
  readonly refresh: SessionRefresh | undefined;
  readonly codec: SessionCodec;
  readonly callbacks: NonNullable<AuthConfig['callbacks']>;
  /** Ready for `Auth()`. */
  readonly config: AuthConfig;

  /** Throws where an option would make the application insecure or unable to sign anyone in. */
  constructor(
    options: IAuthModuleOptions,
    readonly basePath: string,
  ) {
    const { property, origin, secret, defaultCallbackUrl, session, refresh, ...rest } = options;
    this.refresh = refresh;
    this.maxValueLength = (session?.maxCookies ?? 2) * CHUNK_LENGTH;
    this.origin = new URL(origin).origin;
    this.property = property ?? 'user';
    this.secrets = [secret].flat();
    if (this.secrets.length === 0 || this.secrets.some(({ length }) => length < 32)) {
      throw new Error('AuthModule: `secret` needs at least 32 characters');
    }
    this.maxAgeSeconds = session?.maxAge ?? 3600;
    this.maxLifetimeSeconds = session?.maxLifetime ?? 43_200;
    this.defaultCallbackUrl = defaultCallbackUrl ?? '/';
    this.pages = options.pages ?? {};
    this.signInPage = options.pages?.signIn ?? `${basePath}/signin`;
    this.errorPage = options.pages?.error ?? `${basePath}/error`;

    const secure = this.origin.startsWith('https:');
    const cookie = (name: string): CookieSpec => ({
      name: `${secure ? '__Host-' : ''}authjs.${name}`,
      options: { httpOnly: true, sameSite: 'lax', path: '/', secure },
    });
    this.sessionCookie = cookie('session-token');
    this.csrfCookie = cookie('csrf-token');
    this.callbackUrlCookie = cookie('callback-url');
    this.codec = new SessionCodec({
      secrets: this.secrets,
      cookieName: this.sessionCookie.name,
      maxAgeSeconds: this.maxAgeSeconds,
      maxLifetimeSeconds: this.maxLifetimeSeconds,
    });
    this.providerIds = options.providers.map(providerId);
    this.callbacks = { redirect: ({ url }) => this.origin + this.target(url), ...options.callbacks };
    this.config = {
      ...rest,
      callbacks: this.callbacks,
      basePath,
      trustHost: true,
      useSecureCookies: secure,
      secret: [...this.secrets],
      session: { strategy: 'jwt', maxAge: this.maxAgeSeconds },
      jwt: {
        encode: ({ token }) => this.seal(token ?? {}).value,
        decode: ({ token }) => this.codec.open(token ?? ''),
      },
      cookies: {
        ...rest.cookies,
        sessionToken: this.sessionCookie,
        csrfToken: this.csrfCookie,
        callbackUrl: this.callbackUrlCookie,
        pkceCodeVerifier: cookie('pkce.code_verifier'),
        state: cookie('state'),
        nonce: cookie('nonce'),
      },
    };
  }
  /** Seals a session. Throws `SessionTooLarge` rather than set cookies that a browser or a proxy would refuse. */
  seal(token: SessionToken): SealedSession {
    const sealed = this.codec.seal(token);
    if (sealed.value.length > this.maxValueLength) {
      throw new SessionTooLarge(sealed.value.length, this.maxValueLength);
    }
    return sealed;
  }

  /** The page a sign-in ends on: `wanted` when it is one of this application's, else the default. */
  target(wanted: unknown): string {
    return localPath(wanted, this.origin) ?? this.defaultCallbackUrl;
  }
}

function providerId(provider: IAuthModuleOptions['providers'][number]): string {
  const { id, options } = typeof provider === 'function' ? provider() : provider;
  return (options as { id?: string } | undefined)?.id ?? id;
}
