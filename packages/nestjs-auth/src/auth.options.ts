import type { ExecutionContext, FactoryProvider, HttpException, ModuleMetadata, Type } from '@nestjs/common';
import type { AuthConfig } from '@auth/core';
import type { Account, Profile } from '@auth/core/types';
import type { SessionEnded, SessionRequired, SignInFailed, SignInFailure } from './auth.errors.js';
import type { AuthUser, HttpRequest, HttpResponse, SessionToken } from './auth.types.js';
import type { SessionRefresh, SessionReload, SessionRevocations } from './session/session-extensions.js';

/** The options of Auth.js and those of this module. */
export interface IAuthModuleOptions extends Omit<AuthConfig, 'raw' | 'secret' | 'session'> {
  /** Property of the request that receives the user. Default `user`. */
  property?: string;
  /**
   * Public origin of the application, as in `https://app.example`. Every URL is built from it, none from the
   * `Host` header. An https origin means `Secure` cookies with the prefix `__Host-` (with `mountPath`: `__Secure-`).
   */
  origin: string;
  /**
   * Path of the application on its origin, as in `/base`. It is part of every address of the application and of `originalUrl`, not of
   * `url` (as where Express mounts an application), and it is the `Path` of the cookies. Default: none.
   */
  mountPath?: string;
  /**
   * Secrets of all cookies: the first encrypts, every one decrypts. At least 32 characters each. `undefined`, as of a missing environment
   * variable, is refused at start.
   */
  secret: string | string[] | undefined;
  /** Page after a sign-in that did not start from a page. Default `/`. */
  defaultReturnTo?: string;
  /**
   * Refreshes the tokens of a session. Default: where an OpenID provider issues a refresh token, the session holds `accessToken`,
   * `refreshToken` and `accessTokenEndsAt`, and they are refreshed at its token endpoint. `false`: the session holds no tokens.
   */
  refresh?: SessionRefresh | false;
  /**
   * Returns the roles of a user, which `@RequireRoles()` compares with, at sign-in. Without it a user has the roles that the `session`
   * callback sets.
   *
   * @param profile claims of the ID token or of userinfo; of a credentials provider the user
   * @param tokens the token response
   */
  roles?: (profile: Profile, tokens: Account) => string[];
  /**
   * Returns the refusal of a signed-in user who has none of the roles of `@RequireRoles()`. `undefined`, as without this option:
   * `RolesRequired`.
   */
  rolesRefusal?: (
    roles: readonly string[],
    user: object,
    request: HttpRequest | undefined,
  ) => HttpException | undefined;
  /**
   * Receives each refusal that this module answers itself with 401 or 403: of a program without a session, and of a failed sign-in. Returns
   * further members of the JSON answer.
   */
  refused?: (
    refusal: SessionRequired | SessionEnded | SignInFailed,
    request: HttpRequest,
  ) => object | undefined;
  /** Other credentials than the session cookie, which some routes take. Without it all routes take the cookie alone. */
  credentials?: OtherCredentials;
  /** Reloads the user of a session. Without it roles and names stay as they were at sign-in. */
  reload?: SessionReload;
  /**
   * Returns further parameters of the authorization request. `given` has the fields of the sign-in form, of which only the returned ones
   * are used, and as `reason` the `SessionEnd` of an ended session whose cookie the browser still has. Without it a caller cannot add a
   * parameter (RFC 9700 4.1).
   */
  authorizationParams?: (
    given: Readonly<Record<string, unknown>>,
    request: HttpRequest,
  ) => Record<string, string>;
  /** Further conditions of a sign-in. Without it every sign-in that the provider approves succeeds. */
  signInPolicy?: SignInPolicy;
  /**
   * Stores which sessions were ended before their expiry. Default: in the memory of this process, so that with several processes a copied
   * cookie works after the sign-out where another one gets it.
   */
  revocations?: SessionRevocations;
  /**
   * Receives the content of a session that was ended or replaced, each time a request carries its cookie, to revoke its tokens. The
   * request does not wait for it. Must not throw.
   */
  discard?: (token: SessionToken) => void;
  /**
   * Decides how a page request with an ended session goes on. `undefined`, as without this option: redirect to the sign-in page. Fields of
   * a sign-in form: redirect to the provider and back to the page, which the user does not notice while the provider has a session.
   *
   * @param token content of the ended session, or `null`
   */
  resume?: (
    ended: SessionEnded,
    token: SessionToken | null,
    request: HttpRequest,
  ) => Promise<Record<string, string> | undefined>;
  /**
   * Answers a browser whose sign-in failed with a status of 500 or above, in place of a redirect to `pages.error`: anybody can open that
   * address, so its status cannot show a failure of this server.
   */
  failurePage?: (failure: SignInFailed, request: HttpRequest, response: HttpResponse) => void;
  /** Receives events. Where it is set, the module does not log them. */
  observer?: AuthObserver;
  session?: {
    /** Other values than `jwt` are refused at start. */
    strategy?: 'jwt' | 'database';
    /** Seconds without a request after which the session ends. Default 3600. */
    maxAge?: number;
    /** Seconds after sign-in at which the session ends in any case. Default 43200. */
    maxLifetime?: number;
    /** Cookies of 4096 bytes that a session may use, 1 to 4. A sign-in that needs more fails with `session_too_large`. Default 2. */
    maxCookies?: number;
    /** Has no effect: the cookie is written again every minute of use. */
    updateAge?: number;
    /** Has no effect. */
    generateSessionToken?: () => string;
  };
}

/**
 * Other credentials than the session cookie, such as a bearer token, for routes that browsers and programs call. A request with such
 * credentials is decided by them alone. On such a route, a request with the cookie and a method that changes something has to prove that
 * it comes from a page of this application, as `CsrfService.verify` does.
 */
export interface OtherCredentials {
  /** what a refusal calls them, as `bearer token` */
  readonly name: string;
  /**
   * Returns whether a route takes them beside the cookie, or alone; `undefined` where the cookie alone counts. Called once for each route
   * that is not public.
   */
  takenBy(route: [handler: () => void, owner: Type]): 'beside' | 'alone' | undefined;
  /** Whether a request has such credentials, valid or not: then its cookie is not read. */
  areIn(request: HttpRequest): boolean;
  /**
   * Returns the user of a request with such credentials, or of any request where they alone count.
   *
   * @throws the refusal
   */
  userOf(context: ExecutionContext, request: HttpRequest, response: HttpResponse): Promise<AuthUser>;
  /** Returns the user of a request with the cookie. Default: that of the session. */
  sessionUser?(user: AuthUser, request: HttpRequest): AuthUser;
  /** `WWW-Authenticate` of the 401 for a program without credentials. */
  challenge?: string | undefined;
}

/** Conditions of a sign-in beyond the protocol, and the meaning of errors that are specific to a provider. */
export interface SignInPolicy {
  /** @throws `ProviderUnavailable` when a browser that is redirected to the provider would get no answer */
  checkProvider(): Promise<void>;
  /**
   * Returns the fields of the sign-in form that `refusal` needs. They are stored in an encrypted cookie until the callback. The `jwt` callback
   * of the sign-in receives them as `session`, unless there is `carriedOver`.
   */
  kept(given: Readonly<Record<string, unknown>>): Record<string, string>;
  /**
   * Returns what the `jwt` callback of the sign-in receives as `session`. Called before the code is exchanged. Must not throw.
   *
   * @param current content of the session cookie of this browser, also of a session that was ended before; `null` without one
   */
  carriedOver?(kept: Readonly<Record<string, string>>, current: SessionToken | null): object;
  /** Returns why a sign-in that the provider has approved is refused, or `undefined`. `account` has the verified ID token. */
  refusal(
    profile: Profile,
    kept: Readonly<Record<string, string>>,
    account: Account,
  ): SignInFailure | SignInFailed | undefined;
  /**
   * Receives the content of the session that a sign-in has replaced in this browser, after it was ended, here or before. Must not throw.
   */
  replaced?(session: SessionToken, kept: Readonly<Record<string, string>>, account: Account): void;
  /** Returns the meaning of an authorization error response (RFC 6749 4.1.2.1), or `undefined` where `error` alone decides. */
  meaning(error: string, description: string): SignInFailure | undefined;
  /**
   * Receives the tokens of a sign-in that was refused after the code was exchanged, to revoke them. Must not throw.
   *
   * @param current as of `carriedOver`: the session that stays
   */
  discard(account: Account, kept: Readonly<Record<string, string>>, current: SessionToken | null): void;
}

/** Receives events, for logs and metrics. Must not throw. */
export interface AuthObserver {
  /** A sign-in succeeded: this response sets the session cookie. */
  signedIn(account: Account, request: HttpRequest, response: HttpResponse): void;
  /** A sign-in failed. */
  signInFailed(failure: SignInFailed, request: HttpRequest): void;
  /** The provider ended a session, or its refreshed tokens cannot be used. */
  sessionEnded(token: SessionToken, ended: SessionEnded, request: HttpRequest): void;
}

/** The options given to `AuthModule.register()`: injection token and type, as in `constructor(options: AuthModuleOptions)`. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the other members are the program's to set
export class AuthModuleOptions {
  providers: IAuthModuleOptions['providers'] = [];
}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface AuthModuleOptions extends IAuthModuleOptions {}

/** Settings that have to be known before dependencies are injected. */
export interface AuthModuleConfig {
  /** Guards every route that is not `@Public()`. Default true. */
  globalGuard?: boolean;
  /** Enforces `@RequireRoles()`. Default true. */
  rolesGuard?: boolean;
  /** Path of the routes of Auth.js. Default `/auth`. */
  basePath?: string;
}

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface AuthOptionsFactory {
  createAuthOptions(): IAuthModuleOptions | Promise<IAuthModuleOptions>;
}

/** Options with dependencies: exactly one of the `use…` members is required. */
export interface AuthModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: FactoryProvider['inject'];
  useFactory?: (...args: never[]) => IAuthModuleOptions | Promise<IAuthModuleOptions>;
  useClass?: Type<AuthOptionsFactory>;
  useExisting?: Type<AuthOptionsFactory>;
}
