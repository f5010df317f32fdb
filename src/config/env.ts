import { isMountPath, localPath, pathBelow } from '@mridang/nestjs-auth';
import {
  ConfigError,
  flag,
  list,
  originList,
  port,
  proxies,
  readVariables,
  seconds,
  trueOrFalse,
  webUrl,
  wholeNumber,
  YEAR_SECONDS,
  type Problem,
  type Routes,
  type ValuesOf,
  type Variable,
} from '@mridang/nestjs-program';
import { apiKeyOf, isPlainRemote, isRedisUrl, METADATA, scopesProblem } from '@mridang/nestjs-zitadel';
import { z } from 'zod';
import {
  ALLOW_INSECURE_HTTP,
  EXAMPLES,
  HTTPS,
  introspectionOf,
  issuer,
  issuerUrl,
  LOG_LEVEL,
  METRICS_TOKEN,
  NODE_ENV,
  NO_PROJECT,
  ORGANIZATIONS,
  tokenVariables,
  randomValue,
  ZITADEL_TIMEOUT,
} from './shared-variables.js';

/** The configuration of the web application, read once at start. */
export type Env = ReturnType<typeof readEnv>;

/** Injection token of `Env`. */
export const ENV = Symbol('Env');

/** Whether a path is one of sign-ins and sign-outs. */
const isOfAuth = (path: string) => /^\/auth(\/|$)/i.test(path);

/** Every variable the web application reads, in the order of the documentation. */
export const variables = {
  NODE_ENV,
  PORT: port(3000, 'Port the web application listens on.'),
  BASE_PATH: {
    about:
      'Path below which a proxy serves this application, on a host it shares with others: part of all its addresses, and the Path of its cookies. The proxy may take it off or leave it on.',
    expected:
      'a path such as /base, with a slash at its beginning and none at its end, that is none of this application, such as /auth or /profile; or nothing',
    schema: z
      .string()
      .refine((path) => isMountPath(path) && !isOfAuth(path))
      .default(''),
  },
  LOG_LEVEL,
  SESSION_SECRET: {
    about:
      'Encrypts the cookies. To change it without signing anyone out, put the new value first and keep the old one behind a comma.',
    expected: 'at least 32 characters, or a comma-separated list of such values',
    how: randomValue,
    placeholder: 'replace-me-with-at-least-32-random-characters',
    examples: EXAMPLES,
    schema: z
      .string()
      .transform((value) => value.split(',').map((part) => part.trim()))
      .pipe(z.array(z.string().min(32))),
  },
  SESSION_SALT: {
    about: 'Goes into the derivation of the cookie keys: with another salt no older cookie opens.',
    expected: 'any text; in production it is required',
    neededInProduction: true,
    how: randomValue,
    placeholder: 'replace-me-with-a-random-salt',
    examples: EXAMPLES,
    schema: z.string().default(''),
  },
  SESSION_DURATION: seconds(
    [1, YEAR_SECONDS],
    3600,
    'Seconds without a request after which a session ends. Longer than SESSION_MAX_DURATION, it counts as that.',
  ),
  SESSION_MAX_DURATION: seconds(
    [1, YEAR_SECONDS],
    43_200,
    'Seconds after sign-in at which a session ends however busy it is.',
  ),
  SESSION_CLAIMS_MAX_AGE: seconds(
    [0, YEAR_SECONDS],
    300,
    'Seconds after which roles, names, organization and metadata of a session are read again from Zitadel. 0: only after the access token was renewed.',
  ),
  ZITADEL_DOMAIN: {
    ...issuer('Address of your Zitadel instance: its issuer.'),
    placeholder: 'https://your-instance.zitadel.cloud',
    examples: /^https:\/\/your-(zitadel-)?(domain|instance)\b/i,
  },
  ZITADEL_CLIENT_ID: {
    about: 'Client ID of the web application in Zitadel.',
    expected: 'the client ID Zitadel shows for the application',
    how: 'Zitadel console, Projects, your project, your application',
    placeholder: 'your-client-id',
    examples: EXAMPLES,
    schema: z.string(),
  },
  ZITADEL_CLIENT_SECRET: {
    about: 'Client secret, for an application with authentication method BASIC. Leave it empty for PKCE.',
    expected: 'the client secret Zitadel showed when the application was made, or nothing',
    examples: EXAMPLES,
    schema: z.string().optional(),
  },
  ZITADEL_CALLBACK_URL: {
    about:
      'Redirect URI, exactly as registered in Zitadel. Its origin is the public origin of this application.',
    expected: 'an absolute address, such as https://app.example.com/auth/callback',
    default: 'http://localhost:3000/auth/callback (with PORT and BASE_PATH; not in production)',
    neededInProduction: true,
    schema: webUrl.optional(),
  },
  ZITADEL_POST_LOGIN_URL: {
    about:
      'Page shown after sign-in when no other page was asked for. BASE_PATH goes before a path that does not begin with it.',
    expected:
      'a path on this application that is none of a sign-in or sign-out, such as /profile, or an address with the origin of ZITADEL_CALLBACK_URL',
    default: '/profile',
    schema: z.string().default('/profile'),
  },
  ZITADEL_POST_LOGOUT_URL: {
    about:
      'Post-logout redirect URI, exactly as registered in Zitadel. Has the origin of ZITADEL_CALLBACK_URL.',
    expected: 'an absolute address, such as https://app.example.com/auth/logout/callback',
    default: 'http://localhost:3000/auth/logout/callback (the origin of ZITADEL_CALLBACK_URL, BASE_PATH)',
    schema: webUrl.optional(),
  },
  ZITADEL_LOGIN_ORIGINS: originList(
    'https://login.example.com',
    'Further origins Zitadel sends the browser on to without showing a page, such as an external identity provider that is always used. Where its own login is, Zitadel says. Browsers hold a form to the origins its page allows.',
  ),
  ZITADEL_CHECK_AT_START: flag(
    true,
    'Whether Zitadel is asked at start, with requests that need no browser, if it will accept a sign-in of this application. Mistakes are in the log with their cure, and at /health/ready.',
  ),
  ZITADEL_SCOPES: {
    about:
      'What a sign-in asks Zitadel for, in place of the list in docs/zitadel.md. Metadata and the audience of the API are added by their own variables. Only the sign-in decides: Zitadel ignores a narrower scope at a refresh, so a change counts for new sign-ins.',
    expected:
      'scopes separated by spaces, with openid among them, each once, and without those of an organization (urn:zitadel:iam:org:id:…), or nothing',
    schema: z
      .string()
      .default('')
      .transform((value) => value.split(/\s+/).filter(Boolean)),
  },
  ZITADEL_USER_METADATA: {
    about:
      'Asks for the metadata of users, which the profile page shows. Zitadel puts all of them into the ID token: false where users have more than the session cookie takes, and where services that get the access token do not accept them (docs/neighbours.md).',
    expected: 'true, false, or nothing: then true without API_URL and ZITADEL_SCOPES, else false',
    schema: trueOrFalse.optional(),
  },
  ZITADEL_REGISTRATION: flag(
    false,
    'Whether the start page and the login page have a button to create an account. Whether people may register at all, Zitadel decides (login policy).',
  ),
  ZITADEL_ACCOUNT_URL: {
    about:
      'Page where people change their password and set up factors. The profile page and the page about a missing factor have a link to it.',
    expected:
      'an absolute address with http or https, the word none for no link, or nothing: then /ui/console/users/me?id=security of ZITADEL_DOMAIN',
    schema: z.union([z.literal('none'), webUrl]).optional(),
  },
  ORGANIZATIONS,
  ZITADEL_EVENTS_KEY: {
    about:
      'Signing key of the target in Zitadel (Actions v2) that sends events to /auth/zitadel-events: npm run setup -- --events makes it. A comma-separated list while the key changes. Empty: that address does not exist, and changes at Zitadel count later.',
    expected: 'at least 32 characters, a comma-separated list of such values, or nothing',
    examples: EXAMPLES,
    schema: list.refine((keys) => keys.every((key) => key.length >= 32)),
  },
  ZITADEL_TIMEOUT,
  AUTH_RATE_LIMIT: wholeNumber(
    'a whole number',
    [0, 1_000_000],
    60,
    'Sign-in, callback and sign-out requests per minute from one address. 0 means no limit.',
  ),
  TRUSTED_PROXIES: {
    about:
      'Proxies in front of this application, whose X-Forwarded-For tells the address of a person for AUTH_RATE_LIMIT. It is used for nothing else.',
    expected:
      'a comma-separated list of addresses, networks such as 10.0.0.0/8, or the words loopback, linklocal and uniquelocal; or nothing',
    schema: proxies,
  },
  REDIS_URL: {
    about:
      'State that several instances share: ended sessions, refreshes under way, logout tokens seen. What is stored there is encrypted. Empty: each instance has its own, in memory.',
    expected:
      'an address such as redis://redis:6379 or rediss://user:password@redis.example.com:6380/3, in which 3 is the number of a database and % in a password is written %25, or nothing',
    schema: z.string().refine(isRedisUrl).optional(),
  },
  METRICS_TOKEN,
  API_URL: {
    about:
      'Address of the API, which the profile page can call for the signed-in user. Empty: the page does not offer it.',
    expected:
      'an address without a path, such as https://api.example.com or http://localhost:3001, or nothing',
    schema: issuerUrl.optional(),
  },
  ...tokenVariables,
  ALLOW_INSECURE_HTTP,
} satisfies Record<string, Variable>;

const isIPv6 = (address: string) => new URL(address).hostname.startsWith('[');

const noSource =
  'a name or an IPv4 address in place of the IPv6 address: Content-Security-Policy knows none, so browsers would not send the login form there';

/** The web application waits longer for the API than the API waits for Zitadel. */
const API_MARGIN_SECONDS = 3;

const FREE_PATH = 'a path that has no other use here, such as /auth/callback or /auth/logout/callback';

const belowBasePath = (path: string) =>
  `an address below BASE_PATH, such as https://app.example.com/base/${path} for BASE_PATH=/base`;

/** Reads the configuration. Throws `ConfigError` with all problems at once. */
export function readEnv(source: Record<string, string | undefined>) {
  const { values, problems, report } = readVariables(variables, source);
  const production = values.NODE_ENV === 'production';
  const { ZITADEL_DOMAIN: domain, BASE_PATH: basePath, ZITADEL_POST_LOGIN_URL: wanted } = values;
  const callbackUrl =
    values.ZITADEL_CALLBACK_URL ?? `http://localhost:${values.PORT}${basePath}/auth/callback`;
  const isRefused = (url = '') => url !== '' && isPlainRemote(new URL(url)) && !values.ALLOW_INSECURE_HTTP;
  if (isRefused(domain)) report('ZITADEL_DOMAIN', HTTPS);
  if (domain && isIPv6(domain)) report('ZITADEL_DOMAIN', noSource);
  if (values.ZITADEL_LOGIN_ORIGINS.some(isIPv6)) report('ZITADEL_LOGIN_ORIGINS', noSource);
  if (production && isRefused(callbackUrl)) report('ZITADEL_CALLBACK_URL', HTTPS);
  if (isRefused(values.API_URL)) report('API_URL', HTTPS);
  const { ZITADEL_ACCOUNT_URL: account, ZITADEL_SCOPES: scopes } = values;
  const broken = scopes.length > 0 ? scopesProblem(scopes) : undefined;
  if (broken) report('ZITADEL_SCOPES', `scopes separated by spaces, ${broken}`);
  if (account !== 'none' && isRefused(account)) report('ZITADEL_ACCOUNT_URL', HTTPS);

  const hasMetadata = values.ZITADEL_SCOPES.includes(METADATA);
  if (values.ZITADEL_USER_METADATA === false && hasMetadata)
    report('ZITADEL_USER_METADATA', `true or nothing, or ZITADEL_SCOPES without ${METADATA}`);

  const { origin } = new URL(callbackUrl);
  const postLogoutUrl = values.ZITADEL_POST_LOGOUT_URL ?? `${origin}${basePath}/auth/logout/callback`;
  const { origin: postLogoutOrigin } = new URL(postLogoutUrl);
  if (postLogoutOrigin !== origin) {
    report(
      'ZITADEL_POST_LOGOUT_URL',
      'an address with the origin of ZITADEL_CALLBACK_URL: the answer is checked there',
    );
  }
  const callbackPath = pathBelow(basePath, callbackUrl);
  const postLogoutPath = pathBelow(basePath, postLogoutUrl);
  if (callbackPath === undefined) report('ZITADEL_CALLBACK_URL', belowBasePath('auth/callback'));
  if (postLogoutPath === undefined) report('ZITADEL_POST_LOGOUT_URL', belowBasePath('auth/logout/callback'));
  else if (postLogoutPath === callbackPath) report('ZITADEL_POST_LOGOUT_URL', FREE_PATH);

  const localWanted = localPath(wanted, origin);
  const isRelative = localWanted !== undefined && wanted.startsWith('/');
  const postLoginPath =
    localPath(wanted, origin, basePath) ?? (isRelative ? basePath + localWanted : undefined);
  const { pathname } = new URL(postLoginPath?.slice(basePath.length) || '/', origin);
  if (postLoginPath === undefined || isOfAuth(pathname)) report('ZITADEL_POST_LOGIN_URL');

  const file = values.ZITADEL_API_KEY_FILE;
  const key = file && apiKeyOf({ file }, (_field, expected) => report('ZITADEL_API_KEY_FILE', expected));

  if (problems.length > 0 || postLoginPath === undefined) throw new ConfigError(problems);
  const known = values as ValuesOf<typeof variables>;
  const { origin: issuer } = new URL(known.ZITADEL_DOMAIN);
  const maxDurationSeconds = known.SESSION_MAX_DURATION;
  const isCut = known.SESSION_DURATION > maxDurationSeconds;
  return {
    production,
    /** `development` shows changed views without a restart */
    cacheViews: known.NODE_ENV !== 'development',
    port: known.PORT,
    logLevel: known.LOG_LEVEL,
    /** public origin: that of `ZITADEL_CALLBACK_URL` */
    origin,
    basePath,
    /** where people find the application */
    address: basePath ? `${origin}${basePath}/` : origin,
    session: {
      secrets: known.SESSION_SECRET,
      salt: known.SESSION_SALT,
      durationSeconds: isCut ? maxDurationSeconds : known.SESSION_DURATION,
      maxDurationSeconds,
      claimsMaxAgeSeconds: known.SESSION_CLAIMS_MAX_AGE,
    },
    zitadel: {
      issuer,
      clientId: known.ZITADEL_CLIENT_ID,
      clientSecret: known.ZITADEL_CLIENT_SECRET,
      callbackUrl,
      postLoginPath,
      postLogoutUrl,
      loginOrigins: known.ZITADEL_LOGIN_ORIGINS,
      scopes: known.ZITADEL_SCOPES.length > 0 ? known.ZITADEL_SCOPES : undefined,
      userMetadata: known.ZITADEL_USER_METADATA ?? !(known.API_URL || known.ZITADEL_SCOPES.length > 0),
      eventsKey: known.ZITADEL_EVENTS_KEY,
      organizations: known.ORGANIZATIONS,
      allowInsecureHttp: known.ALLOW_INSECURE_HTTP,
      checkAtStart: known.ZITADEL_CHECK_AT_START,
      timeoutSeconds: known.ZITADEL_TIMEOUT,
    },
    /** of routes that take bearer tokens */
    bearer: key ? { key, ...introspectionOf(known) } : undefined,
    hasRegistration: known.ZITADEL_REGISTRATION,
    /** where people change their password */
    accountUrl: account === 'none' ? undefined : (account ?? `${issuer}/ui/console/users/me?id=security`),
    redisUrl: known.REDIS_URL,
    metricsToken: known.METRICS_TOKEN,
    authRateLimit: known.AUTH_RATE_LIMIT,
    trustedProxies: known.TRUSTED_PROXIES,
    api: known.API_URL
      ? {
          origin: new URL(known.API_URL).origin,
          projectId: known.IDP_PROJECT_ID,
          timeoutSeconds: known.INTROSPECTION_TIMEOUT + API_MARGIN_SECONDS,
        }
      : undefined,
    /** what was changed to make it work: sentences for the log */
    warnings: [
      ...(isCut
        ? [
            `SESSION_DURATION is longer than SESSION_MAX_DURATION, which is ${maxDurationSeconds} s: sessions end that long after sign-in. Set SESSION_MAX_DURATION as well`,
          ]
        : []),
      ...(key && !known.IDP_PROJECT_ID ? [NO_PROJECT] : []),
    ],
  };
}

/** Paths that serve the redirect URIs already. */
const OWN = /^\/auth\/(callback(\/zitadel)?|logout\/callback)\/?$/i;

/** The problems of configured paths that show once the routes are known. */
export function pathProblems({ basePath, origin, zitadel }: Env, routes: Routes): Problem[] {
  const pathOf = (url: string) =>
    (new URL(url, origin).pathname.slice(basePath.length) || '/').toLowerCase().replace(/(?<=.)\/$/, '');
  const isTaken = (url: string) => !OWN.test(pathOf(url)) && routes.isTaken(pathOf(url));
  const isPostLogin = (url: string) => !isTaken(url) && pathOf(url) === pathOf(zitadel.postLoginPath);
  const { callbackUrl, postLogoutUrl } = zitadel;
  const [firstSegment = ''] = /^\/[^/]+/.exec(basePath) ?? [];
  const { BASE_PATH, ZITADEL_POST_LOGIN_URL } = variables;
  const problems = {
    BASE_PATH: firstSegment !== '' && routes.isTakenBelow(firstSegment) && BASE_PATH.expected,
    ZITADEL_CALLBACK_URL: isTaken(callbackUrl) && FREE_PATH,
    ZITADEL_POST_LOGOUT_URL: isTaken(postLogoutUrl) && FREE_PATH,
    ZITADEL_POST_LOGIN_URL: [callbackUrl, postLogoutUrl].some(isPostLogin) && ZITADEL_POST_LOGIN_URL.expected,
  };
  return Object.entries(problems).flatMap(([variable, expected]) => (expected ? { variable, expected } : []));
}
