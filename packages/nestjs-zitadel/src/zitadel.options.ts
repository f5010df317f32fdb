import { isMountPath, type HttpRequest, type IAuthModuleOptions } from '@mridang/nestjs-auth';
import { checkKinds, type AuthenticationKind } from './authenticate/authenticate.decorators.js';
import { scopesProblem } from './claims/claims.js';
import { AuditLog } from './log/audit-log.js';
import { isPlainRemote } from './http/is-plain-remote.js';
import { isRedisUrl } from './http/is-redis-url.js';
import type { OrganizationsMode } from './organizations/acting.js';
import type { ApiKey } from './tokens/api-key.js';
import type { ZitadelObserver } from './zitadel.observer.js';

/** Options of every request to Zitadel. */
export interface ZitadelConnectionOptions {
  /** Origin of the Zitadel instance, as in `https://my-instance.zitadel.cloud`. */
  issuer: string;
  /** Timeout of a request to Zitadel. Default 10. */
  timeoutSeconds?: number;
  /** Allows `http:` to other hosts than loopback. Default false. */
  allowInsecureHttp?: boolean;
  /** Receives events, for metrics. `ZitadelModule` logs them itself. */
  observer?: ZitadelObserver;
  /**
   * Whether the answers 401 and 403 say what was needed and what was there, for development. The log has it in any case. Default false.
   */
  explainRefusals?: boolean;
}

/** Options of `ZitadelModule`: a web application of a Zitadel project. */
export interface ZitadelOptions extends ZitadelConnectionOptions {
  clientId: string;
  /** Secret of an application with the authentication method Basic. Without it: PKCE only. */
  clientSecret?: string | undefined;
  /** Redirect URI, exactly as registered in Zitadel. Its origin is the public origin of the application. */
  redirectUri: string;
  /** Path of the application on its origin, as in `/base`. Default: none. */
  mountPath?: string;
  /** Post-logout redirect URI, exactly as registered in Zitadel. Default `/auth/logout/callback` below `mountPath`. */
  postLogoutRedirectUri?: string;
  /** Secrets of the cookies and of the values in Redis: the first encrypts, every one decrypts. At least 32 characters each. */
  secret: string | string[];
  /** Salt of all derived keys. Default: empty. */
  salt?: string;
  session?: {
    /** Seconds without a request after which a session ends. Default 3600. */
    durationSeconds?: number;
    /** Seconds after sign-in at which a session ends. Default 43200. */
    maxDurationSeconds?: number;
    /** Seconds after which roles and names are reloaded from userinfo; 0 = only after a refresh. Default 300. */
    claimsMaxAgeSeconds?: number;
  };
  /** Page after a sign-in that did not start from a page. Default `/`. */
  postLoginPath?: string;
  /** Pages after a sign-out; `?ended=` and `?reason=` are its result. Default `/` for both. */
  signOutPages?: { done: string; failed: string };
  /**
   * Scopes of a sign-in, with `openid`. Default: identity, refresh token, roles and organization. `userMetadata` and `apiProjectId` add
   * theirs. Zitadel ignores narrower ones at a refresh.
   */
  scopes?: string[] | undefined;
  /** Whether to request the metadata of users. Default false. */
  userMetadata?: boolean;
  /** Project of an API that is an additional audience of the access tokens. */
  apiProjectId?: string | undefined;
  /**
   * Where roles count: `any`, in every organization that grants them, for programs of one organization; `active`, in the active
   * organization of the session only. Default `any`.
   */
  organizations?: OrganizationsMode;
  /**
   * What routes without `@Authenticate()` take: the cookie of a browser (`session`), the bearer token of a program (`bearer`), or both.
   * Default `['session']`.
   */
  authenticate?: AuthenticationKind[];
  /**
   * Accepts bearer tokens, by introspection, on routes that take them: the options are those of `ZitadelApiOptions`. Default: every token is
   * refused there.
   */
  bearer?:
    Pick<ZitadelApiOptions, 'key' | 'projectId' | 'introspectionTimeoutSeconds' | 'accepts'> | undefined;
  /** Further origins that a sign-in is redirected through, as of an identity provider. Default: none. */
  loginOrigins?: string[];
  /** Returns the languages for Zitadel's pages (`ui_locales`). */
  uiLocales?: (request: HttpRequest) => string | undefined;
  /** Whether to check the configuration in Zitadel at start. Problems are logged with their cure. Default true. */
  checkAtStart?: boolean;
  /**
   * Signing keys of targets in Zitadel (Actions v2) that send events to `/auth/zitadel-events`. Default: none, and the route answers 404.
   */
  eventsKey?: string | string[] | undefined;
  /** Redis that several instances share. Without it each instance has its own state in memory. */
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
  /** Key of the API application (private_key_jwt), from `apiKeyFrom({ file: 'key.json' })`. */
  key: ApiKey;
  /** Project that has to be in the audience of a token. Without it: the project that the scopes of the token name. */
  projectId?: string | undefined;
  /** As of `ZitadelOptions`: with `active`, roles count in the organization of the header `X-Organization` only. Default `any`. */
  organizations?: OrganizationsMode;
  /** Timeout of an introspection. Default 5. */
  introspectionTimeoutSeconds?: number;
  /** Further kinds of tokens: of token exchange with an actor, and without an application (personal access tokens). Default: none. */
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
    Required<
      Omit<ZitadelOptions, keyof ZitadelConnectionOptions | 'secret' | 'session' | 'eventsKey' | 'bearer'>
    > {
  origin: string;
  secrets: string[];
  eventsKeys: string[];
  session: Required<NonNullable<ZitadelOptions['session']>>;
  bearer: ResolvedZitadelApiOptions | undefined;
}

export interface ResolvedZitadelApiOptions
  extends ZitadelConnection, Required<Omit<ZitadelApiOptions, keyof ZitadelConnectionOptions | 'accepts'>> {
  accepts: { impersonation: boolean; withoutClient: boolean };
  /** whether callers have a `user` */
  withUser?: boolean;
}

/**
 * Adds the defaults.
 *
 * @throws `TypeError` with the name of an invalid option
 */
export function resolveOptions(given: ZitadelOptions): ResolvedZitadelOptions {
  const { origin } = urlOf('redirectUri', given.redirectUri);
  const { mountPath = '' } = given;
  if (!isMountPath(mountPath)) throw new TypeError('mountPath: expected a path such as /base, or nothing');
  const { postLogoutRedirectUri = `${origin}${mountPath}/auth/logout/callback` } = given;
  if (urlOf('postLogoutRedirectUri', postLogoutRedirectUri).origin !== origin)
    throw new TypeError('postLogoutRedirectUri: expected a URL with the origin of redirectUri');
  for (const [option, url] of Object.entries({ redirectUri: given.redirectUri, postLogoutRedirectUri }))
    if (!new URL(url).pathname.startsWith(`${mountPath}/`))
      throw new TypeError(`${option}: expected a URL below mountPath`);
  if (given.redisUrl !== undefined && !isRedisUrl(given.redisUrl))
    throw new TypeError('redisUrl: expected a URL such as redis://redis:6379, or rediss:// with TLS');
  const secrets = [given.secret].flat();
  if (secrets.length === 0 || secrets.some((secret) => secret.length < MIN_SECRET_LENGTH))
    throw new TypeError(`secret: expected at least ${MIN_SECRET_LENGTH} characters`);
  const eventsKeys = [given.eventsKey ?? []].flat();
  if (eventsKeys.some((key) => key.length < MIN_SECRET_LENGTH))
    throw new TypeError(`eventsKey: expected at least ${MIN_SECRET_LENGTH} characters`);
  if (given.authenticate) checkKinds('authenticate', given.authenticate);
  const scopesFault = given.scopes && scopesProblem(given.scopes);
  if (scopesFault) throw new TypeError(`scopes: expected ${scopesFault}`);
  const { salt = '' } = given;
  const connection = connectionOf(given);
  return {
    ...connection,
    observer: new AuditLog(secrets[0] ?? '', salt, connection.observer),
    clientId: textOf('clientId', given.clientId),
    clientSecret: given.clientSecret,
    redirectUri: given.redirectUri,
    postLogoutRedirectUri,
    origin,
    mountPath,
    secrets,
    salt,
    session: {
      durationSeconds: 3_600,
      maxDurationSeconds: 43_200,
      claimsMaxAgeSeconds: 300,
      ...given.session,
    },
    postLoginPath: given.postLoginPath ?? (mountPath || '/'),
    signOutPages: given.signOutPages ?? { done: mountPath || '/', failed: mountPath || '/' },
    scopes: given.scopes,
    userMetadata: given.userMetadata ?? false,
    apiProjectId: given.apiProjectId,
    organizations: organizationsOf(given),
    authenticate: given.authenticate ?? ['session'],
    bearer: given.bearer && { ...resolveApiOptions({ ...given, ...given.bearer }), withUser: true },
    loginOrigins: given.loginOrigins ?? [],
    uiLocales: given.uiLocales ?? (() => undefined),
    checkAtStart: given.checkAtStart ?? true,
    eventsKeys,
    redisUrl: given.redisUrl,
    providers: given.providers ?? [],
    auth: given.auth ?? {},
  };
}

/**
 * Adds the defaults.
 *
 * @throws `TypeError` with the name of an invalid option
 */
export const resolveApiOptions = (given: ZitadelApiOptions): ResolvedZitadelApiOptions => ({
  ...connectionOf(given),
  key: given.key,
  projectId: given.projectId,
  organizations: organizationsOf(given),
  introspectionTimeoutSeconds: given.introspectionTimeoutSeconds ?? 5,
  accepts: { impersonation: false, withoutClient: false, ...given.accepts },
});

const MIN_SECRET_LENGTH = 32;

function connectionOf(given: ZitadelConnectionOptions): ZitadelConnection {
  const { allowInsecureHttp = false } = given;
  const url = urlOf('issuer', given.issuer);
  if (isPlainRemote(url) && !allowInsecureHttp)
    throw new TypeError('issuer: expected https:// (http:// only for loopback, or with allowInsecureHttp)');
  return {
    issuer: url.origin,
    timeoutSeconds: given.timeoutSeconds ?? 10,
    allowInsecureHttp,
    observer: given.observer ?? {},
    explainRefusals: given.explainRefusals ?? false,
  };
}

function organizationsOf({
  organizations = 'any',
}: {
  organizations?: OrganizationsMode;
}): OrganizationsMode {
  if (!['any', 'active'].includes(organizations))
    throw new TypeError('organizations: expected any or active');
  return organizations;
}

function urlOf(option: string, value: string): URL {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new TypeError(`${option}: expected a URL with https:// or http://`);
  return new URL(value);
}

function textOf(option: string, value: string): string {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`${option}: expected a non-empty string`);
  return value;
}
