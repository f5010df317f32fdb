import { customFetch, raw, skipCSRFCheck } from '@auth/core';
import type { IAuthModuleOptions } from './auth.options.js';
import { isMountPath, localPath } from './http/local-path.js';
import { endpointNames, mergedProvider } from './provider-options.js';

/** Servers accept 8 to 16 KB of request headers, which includes all cookies of a site. */
const MAX_COOKIES = 4;
const MIN_SECRET_LENGTH = 32;
export const DEFAULT_MAX_LIFETIME_SECONDS = 43_200;

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isFunction = (value: unknown) => typeof value === 'function';
const isPositive = (value: unknown) => typeof value === 'number' && value > 0 && Number.isFinite(value);
const hasFunctions = (value: unknown, ...names: string[]) =>
  isObject(value) && names.every((name) => isFunction(value[name]));
const areFunctions = (value: unknown) =>
  isObject(value) && Object.values(value).every((member) => member === undefined || isFunction(member));
const mayHaveFunctions = (value: unknown, ...names: string[]) =>
  isObject(value) && names.every((name) => value[name] === undefined || isFunction(value[name]));

/**
 * Checks the options at start.
 *
 * @returns warnings about options of Auth.js that have no effect here
 * @throws an error that names every option that is insecure or cannot work
 */
export function checkOptions(options: IAuthModuleOptions): string[] {
  // Programs in JavaScript, and options from the environment, may be anything.
  const given: unknown = options;
  if (!isObject(given)) throw new Error('AuthModule: the options are missing');
  const problems = [...problemsIn(given)];
  if (problems.length > 0) throw new Error(problems.map((problem) => `AuthModule: ${problem}`).join('\n'));
  return [...warningsAbout(given)];
}

function* problemsIn(given: Members): Generator<string> {
  if (secondCopyIn(given))
    yield 'the options come from a second copy of @auth/core, whose `customFetch` and classes this copy does not know. Install one version: `npm ls @auth/core` shows them';
  yield* originProblems(given);
  const secrets = [given['secret']].flat();
  if (secrets.length === 0 || !secrets.every((one) => isText(one) && one.length >= MIN_SECRET_LENGTH))
    yield `\`secret\` must have at least ${MIN_SECRET_LENGTH} characters, each one of a list`;
  yield* providerProblems(given);
  if (given['redirectProxyUrl']) yield `\`redirectProxyUrl\` cannot work: ${boundToOrigin}`;
  const session = given['session'] ?? {};
  if (isObject(session)) yield* sessionProblems(session);
  else yield '`session` must be an object';
  for (const [name, page] of Object.entries(given['pages'] ?? {}))
    if (isObject(given['pages']) && !isPage(page))
      yield `\`pages.${name}\` must be a path such as \`/login\`, or an address with http or https`;
  for (const [name, isRight, expected] of shapes) {
    const value = given[name];
    if (value !== undefined && !isRight(value)) yield `\`${name}\` must be ${expected}`;
  }
}

/** Options of one kind each; all may be missing. */
const shapes: readonly [name: string, isRight: (value: unknown) => boolean, expected: string][] = [
  ['property', isText, 'the name of a property of the request'],
  ['pages', isObject, 'an object of addresses'],
  [
    'refresh',
    (value) => value === false || hasFunctions(value, 'isDue', 'refresh'),
    'a SessionRefresh, or false',
  ],
  ['reload', (value) => hasFunctions(value, 'isDue', 'reload'), 'a SessionReload'],
  ['revocations', (value) => hasFunctions(value, 'isRevoked', 'revoke'), 'a SessionRevocations'],
  [
    'signInPolicy',
    (value) => hasFunctions(value, 'checkProvider', 'kept', 'refusal', 'meaning', 'discard'),
    'a SignInPolicy',
  ],
  ['credentials', (value) => hasFunctions(value, 'takenBy', 'areIn', 'userOf'), 'an OtherCredentials'],
  ['observer', (value) => hasFunctions(value, 'signedIn', 'signInFailed', 'sessionEnded'), 'an AuthObserver'],
  ...['authorizationParams', 'roles', 'rolesRefusal', 'refused', 'discard', 'resume', 'failurePage'].map(
    (name): (typeof shapes)[number] => [name, isFunction, 'a function'],
  ),
  ...['callbacks', 'events'].map((name): (typeof shapes)[number] => [
    name,
    areFunctions,
    'an object of functions',
  ]),
  ['logger', (value) => mayHaveFunctions(value, 'error', 'warn', 'debug'), 'a logger of Auth.js'],
];

const isPage = (page: unknown) =>
  page === undefined || (isText(page) && (/^\/(?!\/)/.test(page) || isHttpAddress(page)));

const isHttpAddress = (value: unknown): value is string =>
  isText(value) && /^https?:\/\//i.test(value) && URL.canParse(value);

const isBareOrigin = ({ origin, href }: URL) => href === `${origin}/`;

function* originProblems(given: Members): Generator<string> {
  const { origin, mountPath = '', defaultReturnTo } = given;
  const isMount = typeof mountPath === 'string' && isMountPath(mountPath);
  if (!isMount) yield '`mountPath` must be a path such as `/base`, or empty';
  if (!isHttpAddress(origin))
    yield '`origin` must be the public address of the application with its scheme, such as `https://app.example`';
  else if (!isBareOrigin(new URL(origin)))
    yield '`origin` must have no user, path, query or fragment. A path of the application on it is the option `mountPath`';
  else if (
    isMount &&
    defaultReturnTo !== undefined &&
    localPath(defaultReturnTo, origin, mountPath) === undefined
  )
    yield '`defaultReturnTo` must be the path of a page of the application, such as `/home`';
}

function* providerProblems({ providers, adapter }: Members): Generator<string> {
  if (!Array.isArray(providers)) {
    yield '`providers` must be a list of providers of Auth.js';
    return;
  }
  const ids = new Set<unknown>();
  for (const [index, provider] of providers.entries()) {
    const made: unknown = typeof provider === 'function' ? (provider as () => unknown)() : provider;
    const merged = isObject(made) ? mergedProvider(made as never) : {};
    const { id, type } = merged;
    if (!isText(id) || !isText(type))
      yield `\`providers[${index}]\` is no provider of Auth.js: it has no \`id\` or no \`type\``;
    else {
      if (ids.has(id)) yield `\`providers\` has two providers with the id \`${id}\``;
      const problem = missingIn(merged, type, adapter) ?? impossibleIn(merged);
      if (problem) yield `\`providers[${index}]\` (\`${id}\`) ${problem}`;
    }
    ids.add(id);
  }
}

function missingIn(provider: Members, type: string, adapter: unknown): string | undefined {
  if (type === 'email' && !isObject(adapter)) return 'needs the option `adapter`, which stores its links';
  if (type !== 'oauth' && type !== 'oidc') return undefined;
  if (!isText(provider['clientId'])) return 'has no `clientId`';
  const hasEndpoints = endpointNames.every((name) => {
    const endpoint = provider[name];
    return isText(endpoint) || (isObject(endpoint) && Boolean(endpoint['url']));
  });
  return isText(provider['issuer']) || hasEndpoints
    ? undefined
    : 'has no `issuer`, nor all of the endpoints `authorization`, `token` and `userinfo`';
}

/** What would end every sign-in with a failure. */
function impossibleIn({ authorization, redirectProxyUrl }: Members): string | undefined {
  if (responseModeIn(authorization) === 'form_post')
    return 'asks for `response_mode=form_post`: browsers send no `SameSite=Lax` cookie with such an answer. Set `authorization.params.response_mode` to `query`, if the provider takes that';
  return redirectProxyUrl ? `has a \`redirectProxyUrl\`: ${boundToOrigin}` : undefined;
}

const boundToOrigin = 'a sign-in ends at the origin where it has begun. Leave it out';

function responseModeIn(authorization: unknown): unknown {
  const { url, params } = isObject(authorization) ? authorization : { url: authorization, params: {} };
  if (isObject(params) && params['response_mode'] !== undefined) return params['response_mode'];
  return isText(url) && URL.canParse(url) ? new URL(url).searchParams.get('response_mode') : undefined;
}

function* sessionProblems(session: Members): Generator<string> {
  const { strategy = 'jwt', maxAge, maxLifetime = DEFAULT_MAX_LIFETIME_SECONDS, maxCookies = 1 } = session;
  if (strategy !== 'jwt')
    yield '`session.strategy` must be `jwt`: the session is in an encrypted cookie, no adapter is asked for it';
  if (!isPositive(maxLifetime)) yield '`session.maxLifetime` must be a positive number of seconds';
  if (maxAge !== undefined && !isPositive(maxAge))
    yield '`session.maxAge` must be a positive number of seconds';
  else if (Number(maxAge) > Number(maxLifetime))
    yield `\`session.maxAge\` is longer than \`session.maxLifetime\` (${Number(maxLifetime)} s), after which a session ends in any case. Set \`session.maxLifetime\` as well`;
  const isCount =
    Number.isInteger(maxCookies) && Number(maxCookies) >= 1 && Number(maxCookies) <= MAX_COOKIES;
  if (!isCount) yield `\`session.maxCookies\` must be 1 to ${MAX_COOKIES}`;
}

/** Each copy of @auth/core has symbols of its own, with the same descriptions. */
function secondCopyIn(given: Members): boolean {
  const providers = Array.isArray(given['providers']) ? (given['providers'] as unknown[]) : [];
  const keys = providers.flatMap((provider) =>
    isObject(provider)
      ? [provider, provider['options']].flatMap((one) =>
          isObject(one) ? Object.getOwnPropertySymbols(one) : [],
        )
      : [],
  );
  const own = [customFetch, skipCSRFCheck, raw];
  return [...keys, given['skipCSRFCheck'], given['raw']].some(
    (key) =>
      typeof key === 'symbol' && own.some((known) => known !== key && known.description === key.description),
  );
}

function* warningsAbout(given: Members): Generator<string> {
  const { session, trustHost, useSecureCookies, origin } = given;
  if ((given['providers'] as unknown[]).length === 0) yield '`providers` is empty: nobody can sign in';
  if (given['skipCSRFCheck'] !== undefined) yield '`skipCSRFCheck` has no effect: every form post is checked';
  if (useSecureCookies !== undefined)
    yield `\`useSecureCookies\` has no effect: cookies are ${String(origin).startsWith('https:') ? '' : 'not '}\`Secure\`, as \`origin\` says`;
  if (trustHost === false)
    yield '`trustHost` has no effect: addresses are made from `origin`, and never from `Host`';
  for (const name of ['basePath', 'globalGuard', 'rolesGuard'])
    if (given[name] !== undefined)
      yield `\`${name}\` has no effect among the options: it belongs to the second argument of \`register()\``;
  for (const name of ['jwt', 'raw', 'defaultStrategy'])
    if (given[name] !== undefined) yield `\`${name}\` has no effect: the module has its own`;
  for (const name of ['updateAge', 'generateSessionToken'])
    if (isObject(session) && session[name] !== undefined)
      yield `\`session.${name}\` has no effect: the cookie is written again every minute of use, and its content is encrypted`;
}
