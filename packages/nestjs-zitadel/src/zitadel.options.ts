import type { HttpRequest, IAuthModuleOptions } from '@mridang/nestjs-auth';
import { isPlainRemote } from './http/is-plain-remote.js';
import type { ApiKey } from './tokens/api-key.js';
import type { ZitadelObserver } from './zitadel.observer.js';

/** What every call to Zitadel needs. */
export interface ZitadelConnectionOptions {
  /** Address of the Zitadel instance, as in `https://my-instance.zitadel.cloud`. */
  issuer: string;
  /** Longest wait for an answer. Default 10. */
  timeoutSeconds?: number;
  /** Allows `http:` to other hosts than this one. Default false. */
  allowInsecureHttp?: boolean;
  /** Is told what happens, for logs and metrics. */
  observer?: ZitadelObserver;
}

/** Options of `ZitadelModule`: a web application of a Zitadel project. */
export interface ZitadelOptions extends ZitadelConnectionOptions {
  clientId: string;
  /** For an application with authentication method BASIC; without it PKCE alone. */
  clientSecret?: string | undefined;
  /** Redirect URI, exactly as registered in Zitadel. Its origin is the public origin of the application. */
  callbackUrl: string;
  /** Path below which the application stands on its origin, as in `/base`. Default none. */
  basePath?: string;
  /** Post-logout redirect URI, exactly as registered in Zitadel. Default `/auth/logout/callback` below `basePath`. */
  postLogoutUrl?: string;
  /** Keys of the cookies and of what is stored in Redis: the first encrypts, all decrypt. At least 32 characters each. */
  secret: string | string[];
  /** Goes into the derivation of all keys. Default empty. */
  salt?: string;
  session?: {
    /** Seconds without a request after which a session ends. Default 3600. */
    durationSeconds?: number;
    /** Seconds after sign-in at which a session ends. Default 43200. */
    maxDurationSeconds?: number;
    /** Seconds after which roles and names are read again from userinfo; 0 = only after a refresh. Default 300. */
    claimsMaxAgeSeconds?: number;
  };
  /** Path shown after a sign-in that did not start from a page. Default `/`. */
  postLoginPath?: string;
  /** Paths shown after a sign-out: `?ended=` and `?reason=` say what happened. Default `/` for both. */
  signOutPages?: { done: string; failed: string };
  /** Asks for the metadata of users. Default false. */
  userMetadata?: boolean;
  /** Project of an API: access tokens are meant for it, too. */
  apiProjectId?: string | undefined;
  /** Further origins that a sign-in passes before a person sees a page. Default none. */
  loginOrigins?: string[];
  /** The languages Zitadel's pages should have (`ui_locales`). */
  uiLocales?: (request: HttpRequest) => string | undefined;
  /** Whether to ask Zitadel at start if it would accept a sign-in. Mistakes are logged with their cure. Default true. */
  checkAtStart?: boolean;
  /** Where several instances share their state. Without it each instance keeps its own in memory. */
  redisUrl?: string | undefined;
  /**
   * Further providers of Auth.js. Their users have no roles, and their sessions no tokens: those of Zitadel alone are refreshed.
   * Default none.
   */
  providers?: IAuthModuleOptions['providers'];
  /** Further options of `AuthModule`, such as `pages`. */
  auth?: Partial<Pick<IAuthModuleOptions, 'pages' | 'failurePage' | 'property'>>;
}

/** Options of `ZitadelApiModule`: an API application of a Zitadel project. */
export interface ZitadelApiOptions extends ZitadelConnectionOptions {
  /** Key of the API application (private_key_jwt), from `apiKeyFrom(keyFileFields('key.json'))`. */
  key: ApiKey;
  /** The project tokens are meant for. Without it, the project a token was asked for counts. */
  projectId?: string | undefined;
  /** Longest wait of a caller for an introspection. Default 5. */
  introspectionTimeoutSeconds?: number;
  /** Kinds of tokens that count beside those of people and service users at an application. Default none. */
  accepts?: { impersonation?: boolean; withoutClient?: boolean };
}

/** Injection tokens of the resolved options. */
export const ZITADEL_CONNECTION = Symbol('ZitadelConnection');
export const ZITADEL_OPTIONS = Symbol('ZitadelOptions');
export const ZITADEL_API_OPTIONS = Symbol('ZitadelApiOptions');

export type ZitadelConnection = Required<ZitadelConnectionOptions>;

export interface ResolvedZitadelOptions
  extends
    ZitadelConnection,
    Required<Omit<ZitadelOptions, keyof ZitadelConnectionOptions | 'secret' | 'session'>> {
  origin: string;
  secrets: string[];
  session: Required<NonNullable<ZitadelOptions['session']>>;
}

export interface ResolvedZitadelApiOptions
  extends ZitadelConnection, Required<Omit<ZitadelApiOptions, keyof ZitadelConnectionOptions | 'accepts'>> {
  accepts: { impersonation: boolean; withoutClient: boolean };
}

/** Adds the defaults. Throws `TypeError` for options that cannot work, and names the option. */
export function resolveOptions(given: ZitadelOptions): ResolvedZitadelOptions {
  const { origin } = urlOf('callbackUrl', given.callbackUrl);
  const { basePath = '' } = given;
  const { postLogoutUrl = `${origin}${basePath}/auth/logout/callback` } = given;
  if (urlOf('postLogoutUrl', postLogoutUrl).origin !== origin)
    throw new TypeError('postLogoutUrl: expected an address with the origin of callbackUrl');
  const secrets = [given.secret].flat();
  if (secrets.length === 0 || secrets.some((secret) => secret.length < MIN_SECRET_LENGTH))
    throw new TypeError(`secret: expected at least ${MIN_SECRET_LENGTH} characters`);
  return {
    ...connectionOf(given),
    clientId: textOf('clientId', given.clientId),
    clientSecret: given.clientSecret,
    callbackUrl: given.callbackUrl,
    postLogoutUrl,
    origin,
    basePath,
    secrets,
    salt: given.salt ?? '',
    session: {
      durationSeconds: 3_600,
      maxDurationSeconds: 43_200,
      claimsMaxAgeSeconds: 300,
      ...given.session,
    },
    postLoginPath: given.postLoginPath ?? (basePath || '/'),
    signOutPages: given.signOutPages ?? { done: basePath || '/', failed: basePath || '/' },
    userMetadata: given.userMetadata ?? false,
    apiProjectId: given.apiProjectId,
    loginOrigins: given.loginOrigins ?? [],
    uiLocales: given.uiLocales ?? (() => undefined),
    checkAtStart: given.checkAtStart ?? true,
    redisUrl: given.redisUrl,
    providers: given.providers ?? [],
    auth: given.auth ?? {},
  };
}

/** Adds the defaults. Throws `TypeError` for options that cannot work, and names the option. */
export const resolveApiOptions = (given: ZitadelApiOptions): ResolvedZitadelApiOptions => ({
  ...connectionOf(given),
  key: given.key,
  projectId: given.projectId,
  introspectionTimeoutSeconds: given.introspectionTimeoutSeconds ?? 5,
  accepts: { impersonation: false, withoutClient: false, ...given.accepts },
});

const MIN_SECRET_LENGTH = 32;

function connectionOf(given: ZitadelConnectionOptions): ZitadelConnection {
  const { allowInsecureHttp = false } = given;
  const url = urlOf('issuer', given.issuer);
  if (isPlainRemote(url) && !allowInsecureHttp)
    throw new TypeError(
      'issuer: expected https:// (http:// only on this machine, or with allowInsecureHttp)',
    );
  return {
    issuer: url.origin,
    timeoutSeconds: given.timeoutSeconds ?? 10,
    allowInsecureHttp,
    observer: given.observer ?? {},
  };
}

function urlOf(option: string, value: string): URL {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new TypeError(`${option}: expected an address that begins with https:// or http://`);
  return new URL(value);
}

function textOf(option: string, value: string): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${option}: expected a text`);
  return value;
}
