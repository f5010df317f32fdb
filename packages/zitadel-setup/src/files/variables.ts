import { randomBytes } from 'node:crypto';
import { applicationNames } from '../plan/application-specs.js';
import type { World } from '../plan/step.js';

const SECRET_BYTES = 32;

/** Values to be replaced, in `.env.example`. */
const PLACEHOLDER = /^(https?:\/\/)?(your|change|replace|insert)[-_ ]/i;

/** The values of an env file by the names of their variables, which only this file knows. */
export type Environment = Readonly<Record<string, string>>;

/** The value of a variable; undefined where it is missing, empty or a placeholder. */
function valueIn(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim() ?? '';
  return value === '' || PLACEHOLDER.test(value) ? undefined : value;
}

/** What an env file says already: defaults of the options. */
export function defaultsFrom(environment: Environment) {
  const value = (name: string) => valueIn(environment, name);
  const callback = value('ZITADEL_CALLBACK_URL');
  return {
    issuer: value('ZITADEL_DOMAIN'),
    webOrigin:
      callback !== undefined && URL.canParse(callback)
        ? new URL(callback).origin
        : `http://localhost:${value('PORT') ?? 3000}`,
    apiOrigin: value('API_URL') ?? `http://localhost:${value('APP_PORT') ?? 3001}`,
    keyFile: value('ZITADEL_API_KEY_FILE'),
    projectId: value('IDP_PROJECT_ID'),
    clientId: value('ZITADEL_CLIENT_ID'),
    allowsInsecureHttp: value('ALLOW_INSECURE_HTTP') === 'true',
  };
}

const CALLBACK = '/auth/callback';
const POST_LOGOUT = '/auth/logout/callback';

/**
 * The addresses of the web application; those of the env file where they are on that origin and below its base path. The program answers
 * on any path.
 */
export function addressesOf(webOrigin: string, environment: Environment) {
  const base = webOrigin + (valueIn(environment, 'BASE_PATH') ?? '');
  const kept = (name: string) => {
    const value = valueIn(environment, name) ?? '';
    return URL.canParse(value) && new URL(value).href.startsWith(`${base}/`) ? value : undefined;
  };
  const redirectUri = kept('ZITADEL_CALLBACK_URL') ?? base + CALLBACK;
  const postLogoutUri = kept('ZITADEL_POST_LOGOUT_URL');
  return {
    redirectUri,
    postLogoutUri:
      postLogoutUri === undefined || postLogoutUri === redirectUri ? base + POST_LOGOUT : postLogoutUri,
    backChannelUri: `${base}/auth/backchannel-logout`,
    eventsPath: `${base.slice(webOrigin.length)}/auth/zitadel-events`,
  };
}

/** The variables of a set-up with their values; undefined for an id that is not known before it is made. */
export function variablesOf(world: World, environment: Environment): Record<string, string | undefined> {
  const { client, wanted, projectId } = world;
  const clientIdOf = (name: string) => world.applications.get(name)?.clientId;
  return {
    ...portOf('PORT', wanted.webOrigin),
    ZITADEL_DOMAIN: client.issuer,
    ZITADEL_CLIENT_ID: clientIdOf(applicationNames.web),
    ZITADEL_CALLBACK_URL: wanted.redirectUri,
    ZITADEL_POST_LOGOUT_URL: wanted.postLogoutUri,
    ...secretsFor(environment),
    ...eventsKeysFor(world, environment),
    ...portOf('APP_PORT', wanted.apiOrigin),
    ZITADEL_API_KEY_FILE: wanted.keyFile,
    IDP_PROJECT_ID: projectId,
    API_URL: wanted.apiOrigin,
    API_SWAGGER_CLIENT_ID: clientIdOf(applicationNames.swagger),
    ZITADEL_CLI_CLIENT_ID: clientIdOf(applicationNames.commandLine),
    ...withoutContradictions(environment, client.issuer),
  };
}

/** With https there is a proxy, which has that port. */
function portOf(name: string, origin: string): Record<string, string> {
  const port = loopbackPort(origin);
  return port === undefined ? {} : { [name]: port };
}

/** The port of a program that answers an `http:` origin on this machine by itself. */
export function loopbackPort(origin: string): string | undefined {
  const { hostname, port, protocol } = new URL(origin);
  const isLoopback = /^(localhost|\[::1\]|127(\.\d+){3})$/.test(hostname);
  return isLoopback && protocol === 'http:' ? port || '80' : undefined;
}

/** New ones only where there are none. */
function secretsFor(environment: Environment): Record<string, string> {
  const missing = ['SESSION_SECRET', 'SESSION_SALT'].filter(
    (name) => valueIn(environment, name) === undefined,
  );
  return Object.fromEntries(missing.map((name) => [name, randomBytes(SECRET_BYTES).toString('hex')]));
}

/** The signing key of the target before other keys. Undefined before the target is made. */
function eventsKeysFor(
  { wanted, eventsKey }: World,
  environment: Environment,
): Record<string, string | undefined> {
  if (wanted.eventsUri === undefined) return {};
  const name = 'ZITADEL_EVENTS_KEY';
  const value = valueIn(environment, name);
  const keys = (value ?? '').split(',').map((key) => key.trim());
  if (eventsKey === undefined) return { [name]: undefined };
  return { [name]: keys.includes(eventsKey) ? value : [eventsKey, ...keys.filter(Boolean)].join() };
}

/** What an earlier set-up may have, and what would contradict this one. */
function withoutContradictions(environment: Environment, issuer: string): Record<string, string> {
  const profile = 'IDP_AUTHORIZATION_PROFILE';
  const emptied = [
    'ZITADEL_CLIENT_SECRET',
    ...['KEY', 'KEY_ID', 'APP_ID', 'CLIENT_ID'].map((field) => `${profile}_${field}`),
  ].filter((name) => (environment[name] ?? '') !== '');
  const authority = valueIn(environment, 'IDP_AUTHORITY');
  return {
    ...Object.fromEntries(emptied.map((name) => [name, ''])),
    ...(authority !== undefined && authority !== issuer && { IDP_AUTHORITY: issuer }),
  };
}
