import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { AuthConfig } from '@auth/core';
import type { SessionEnded, SignInFailed } from './auth.errors.js';
import type { AuthObserver } from './auth.observer.js';
import type { HttpRequest, HttpResponse, SessionToken } from './auth.types.js';
import type { SignInPolicy } from './sign-in.policy.js';
import type { SessionRefresh } from './session/session-refresh.js';
import type { SessionReload } from './session/session-reload.js';
import type { SessionRevocations } from './session/session-revocations.js';

/** Options of Auth.js, and what this module adds to them. */
export interface IAuthModuleOptions extends Omit<AuthConfig, 'raw' | 'session' | 'skipCSRFCheck'> {
  /** Name under which the user is put on the request. Default `user`. */
  property?: string;
  /**
   * Public origin of the application, as in `https://app.example`. Every URL is built from it, none from the
   * `Host` header. An https origin means `Secure` cookies with the `__Host-` prefix.
   */
  origin: string;
  /**
   * Path below which the application stands on its origin, as in `/base`. It is in every address of the application and of its pages,
   * in `originalUrl`, not in `url` (as where Express mounts an application), and it is the `Path` of the cookies. Default: none.
   */
  mountPath?: string;
  /** Keys of all cookies: the first encrypts, all decrypt. At least 32 characters each. */
  secret: string | string[];
  /** Where a sign-in ends that did not start from a page. Default `/`. */
  defaultCallbackUrl?: string;
  /** How the tokens in the session are renewed. Without it they stay as they were at sign-in. */
  refresh?: SessionRefresh;
  /** How the user in the session is read again. Without it roles and names stay as they were at sign-in. */
  reload?: SessionReload;
  /**
   * What goes into the authorization request beside the module's own parameters: gets the fields of the sign-in form, of
   * which only what it returns counts, and as `reason` the `SessionEnd` of a session that the browser still has a cookie of. Without it a caller can add nothing (RFC 9700 4.1).
   */
  authorizationParams?: (
    given: Readonly<Record<string, unknown>>,
    request: HttpRequest,
  ) => Record<string, string>;
  /** What a sign-in must be beyond the protocol. Without it every sign-in that the provider approves counts. */
  signInPolicy?: SignInPolicy;
  /** Which sessions were ended before their time. Without it a copied cookie outlives its sign-out. */
  revocations?: SessionRevocations;
  /**
   * Gets what a session held that has ended here or was replaced, each time its cookie comes: its tokens are of no use any
   * more. Nobody waits for it; it must not throw.
   */
  discard?: (token: SessionToken) => void;
  /**
   * What becomes of a page that was asked for with a session that has ended: `undefined` leads to the sign-in page, as without
   * this option; fields of a sign-in form lead to the provider and back to the page, unseen where the provider still knows the user.
   *
   * @param token what the session held, or `null`
   */
  resume?: (
    ended: SessionEnded,
    token: SessionToken | null,
    request: HttpRequest,
  ) => Promise<Record<string, string> | undefined>;
  /**
   * Answers a browser whose sign-in failed at the provider or here, with the status of the failure (500 and above), instead of a redirect
   * to `pages.error`: that address anybody can open, so its status says nothing about this server.
   */
  failurePage?: (failure: SignInFailed, request: HttpRequest, response: HttpResponse) => void;
  /** Hears of sign-ins that failed and sessions that ended, instead of the log. */
  observer?: AuthObserver;
  session?: {
    strategy?: 'jwt';
    /** Seconds without a request after which the session ends. Default 3600. */
    maxAge?: number;
    /** Seconds after sign-in at which the session ends however busy it is. Default 43200. */
    maxLifetime?: number;
    /** How many cookies of 4096 bytes a session may take, 1 to 4. A sign-in that needs more is refused. Default 2. */
    maxCookies?: number;
  };
}

/** The options given to `AuthModule.register()`: injection token and type, as in `constructor(options: AuthModuleOptions)`. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the token is never constructed
export abstract class AuthModuleOptions {}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface AuthModuleOptions extends IAuthModuleOptions {}

/** How the module fits into the application, known before any provider is made. */
export interface AuthModuleConfig {
  /** Protect every route that is not `@Public()`. Default true. */
  globalGuard?: boolean;
  /** Enforce `@RequireRoles()`. Default true. */
  rolesGuard?: boolean;
  /** Where Auth.js answers. Default `/auth`. */
  basePath?: string;
}

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface AuthOptionsFactory {
  createAuthOptions(): IAuthModuleOptions | Promise<IAuthModuleOptions>;
}

/** The three ways to make the options with dependencies: exactly one of `use…` is given. */
export interface AuthModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: FactoryProvider['inject'];
  useFactory?: (...args: never[]) => IAuthModuleOptions | Promise<IAuthModuleOptions>;
  useClass?: Type<AuthOptionsFactory>;
  useExisting?: Type<AuthOptionsFactory>;
}
