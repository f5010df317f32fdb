import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Application, WebClientOptions } from './directory/applications.js';
import type { Authorization, Directory, SandboxUser, UserState } from './directory/users.js';
import { listen, PortInUseError, type Listener } from './http/listen.js';
import { RequestLog, type RecordedRequest } from './http/request-log.js';
import { administratorLoginName } from './instance/people.js';
import { isLoopbackUri, parseLoginOrigin } from './http/uris.js';
import {
  createInstance,
  personalAccessTokenGrant,
  type Instance,
  type Lifetimes,
} from './instance/instance.js';
import type { SandboxOptions } from './instance/sandbox.options.js';
import type { ApplicationKeyFile } from './keys/key-file.js';
import { rsaKey } from './keys/rsa-keys.js';
import { answerRequests } from './routes.js';
import type { EventDelivery } from './actions/events.js';
import { grantEvent, userEvent } from './actions/user-events.js';
import type { BackChannelDelivery } from './sessions/back-channel-logout.js';
import { findRefreshToken } from './tokens/presented-token.js';
import { issuePersonalAccessToken } from './tokens/service-user-tokens.js';

/** A client, with its credentials. */
export interface SandboxClient {
  clientId: string;
  appId: string;
  clientSecret?: string;
  /** the key JSON in the format of Zitadel's console; generated on first access */
  readonly key?: ApplicationKeyFile;
}

/** A client with a key. */
export interface SandboxKeyClient extends SandboxClient {
  readonly key: ApplicationKeyFile;
}

/** Paths of the written key files; those of the service user only if there is one. */
export interface KeyFiles {
  apiKeyFile: string;
  serviceUserKeyFile?: string;
  personalAccessTokenFile?: string;
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://localhost:PORT`, without a trailing slash */
  issuer: string;
  /** origin of Login V2: the issuer's, or that of the option `loginOrigin` */
  loginOrigin: string;
  projectId: string;
  clients: {
    web: SandboxClient;
    /** a second web app of the project, on http://localhost:3002, for single sign-on */
    second: SandboxClient;
    api: SandboxKeyClient;
    /** an API app of the project that authenticates with a secret */
    apiBasic: SandboxClient;
    /** the Swagger UI of an API of the project, on http://localhost:3001/api: a public client that uses PKCE */
    swagger: SandboxClient;
    /** an API app of another project */
    foreignApi: SandboxKeyClient;
    /** exist if their option is set */
    device?: SandboxClient;
    exchange?: SandboxClient;
    implicit?: SandboxClient;
  };
  users: SandboxUser[];
  /** of the service user with the role IAM_OWNER, which exists with the option `empty` or `patFile` */
  personalAccessToken: string | undefined;
  /** the latest requests, oldest first */
  requests: RecordedRequest[];
  /** the latest attempts to deliver a back-channel logout, oldest first */
  backChannelDeliveries: BackChannelDelivery[];
  /** the latest calls of targets for events, oldest first */
  eventDeliveries: EventDelivery[];
  /** the requests to the token endpoint with that `grant_type` */
  grants(type: string): RecordedRequest[];
  /** Activates the next signing key and publishes a new next key; retired keys stay published. */
  rotateKeys(): Promise<void>;
  /** Expires everything of that kind, except personal access tokens. */
  expire(what: 'access_tokens' | 'refresh_tokens' | 'sessions' | 'device_codes'): void;
  /** Sets the lifetime of future access tokens; with 0 they are issued expired. */
  setAccessTokenTtl(seconds: number): void;
  /** Sets the lifetime of future ID tokens. */
  setIdTokenTtl(seconds: number): void;
  /** Sets the lifetimes of future tokens. */
  setLifetimes(lifetimes: Partial<Lifetimes>): void;
  /** Sets `refreshReuseMs`, see there. */
  setRefreshReuse(ms: number | null): void;
  /** Deactivates or reactivates a user, as an administrator does. */
  setUserActive(loginName: string, active: boolean): void;
  lockUser(loginName: string): void;
  unlockUser(loginName: string): void;
  removeUser(loginName: string): void;
  /** Sets a password as an administrator does: the user's sessions of Login V1 end, tokens stay valid. */
  setPassword(loginName: string, password: string): void;
  /**
   * Grants a role to a user, and creates the role if the project does not have it.
   * `organization` is the name of the granting organization; default: the user's own.
   */
  grantRole(loginName: string, role: string, organization?: string): void;
  /** Removes a role that this organization has granted; default: the user's own. */
  revokeRole(loginName: string, role: string, organization?: string): void;
  /** Sets the instance's feature "Login V2". */
  setLoginV2Required(isRequired: boolean): void;
  /** Sets `backChannelDenied`: with true, no back-channel logout is sent. */
  setBackChannelDenied(isDenied: boolean): void;
  /** Delays the responses of an endpoint, which handles requests all the same; 0 resets it. */
  delay(path: string, ms: number): void;
  /** Makes an endpoint respond with a status without handling the request, that many times or until null resets it. */
  fail(path: string, status: number | null, times?: number): void;
  /** Makes an endpoint handle requests and close the connection without a response, that many times; 0 resets it. */
  drop(path: string, times?: number): void;
  /**
   * Makes userinfo respond with 401, or introspection with `{"active":false}`, to valid tokens, that many times; 0 resets
   * it. Zitadel does this when its database returns errors.
   */
  refuseTokens(path: '/oidc/v1/userinfo' | '/oauth/v2/introspect', times?: number): void;
  /**
   * The user and the login of a refresh token; `grantId` is part of the id of all tokens of a login (Zitadel: "OIDC
   * session"). undefined when the refresh token is not valid.
   */
  ownerOf(refreshToken: string): Promise<{ loginName: string; grantId: string } | undefined>;
  /** Writes `api-key.json`, `service-user-key.json` and `personal-access-token`. Returns their paths. */
  writeKeys(folder: string): Promise<KeyFiles>;
  /** Stops the sandbox and frees its ports. */
  close(): Promise<void>;
}

const ownerOnly = 0o600;

/**
 * Starts a sandbox on the loopback addresses.
 *
 * @throws Error with NODE_ENV=production, or for an invalid option
 * @throws PortInUseError when the port is in use
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error(
      'The Zitadel sandbox is for development and tests only: it does not start with NODE_ENV=production.',
    );
  }
  for (const client of ['web', 'second', 'swagger', 'device', 'exchange', 'implicit'] as const) {
    checkBackChannelUri(client, options[client]);
  }
  const loginUrl = options.loginOrigin === undefined ? undefined : parseLoginOrigin(options.loginOrigin);
  const listeners = [await listen(options.port ?? 0)];
  try {
    return await runSandbox(options, loginUrl, listeners);
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
}

async function runSandbox(
  options: SandboxOptions,
  loginUrl: URL | undefined,
  listeners: Listener[],
): Promise<Sandbox> {
  const issuer = options.issuer ?? `http://localhost:${listeners[0]?.port}`;
  const loginOrigin =
    options.hasLoginPages === false
      ? loginUrl?.origin
      : loginUrl && (await listenOnLoginOrigin(loginUrl, issuer, listeners));
  const instance = createInstance(issuer, loginOrigin ?? '', options);
  const log = new RequestLog();
  for (const user of instance.directory.users) {
    if (user.kind === 'machine') user.pat = await issuePersonalAccessToken(instance, user);
  }
  const events: EventEmitter = instance.provider;
  events.on('error', logError);
  instance.provider.use(answerRequests(instance, log));
  const answer = instance.provider.callback();
  for (const listener of listeners) {
    listener.setHandler((request, response) => void answer(request, response));
  }
  const sandbox = createSandbox(instance, log, listeners);
  if (options.keyFolder !== undefined) await sandbox.writeKeys(options.keyFolder);
  if (options.patFile !== undefined) await writeSecret(options.patFile, sandbox.personalAccessToken ?? '');
  void instance.keys.prepare();
  return sandbox;
}

/** Listens on the port of the login origin. Returns the origin; undefined when it equals the issuer. */
async function listenOnLoginOrigin(
  url: URL,
  issuer: string,
  listeners: Listener[],
): Promise<string | undefined> {
  if (url.port !== new URL(issuer).port) {
    const listener = await listen(Number(url.port || 80)).catch((error: unknown) => {
      if (!(error instanceof PortInUseError)) throw error;
      throw new Error(`loginOrigin: port ${error.port} is in use`, { cause: error });
    });
    listeners.push(listener);
    url.port = String(listener.port);
  }
  return url.origin === issuer ? undefined : url.origin;
}

// a client that closes the connection is not an error of the sandbox
function logError(error: NodeJS.ErrnoException): void {
  if (!['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code ?? '')) console.error(error);
}

function checkBackChannelUri(client: string, options: WebClientOptions | undefined): void {
  const uri = options?.backChannelLogoutUri;
  if (uri === undefined || isLoopbackUri(uri)) return;
  throw new Error(
    `${client}.backChannelLogoutUri: expected a URI on a loopback address, such as http://localhost:3000/…`,
  );
}

function createSandbox(instance: Instance, log: RequestLog, listeners: Listener[]): Sandbox {
  const { applications, directory, store, lifetimes, backChannel, events, faults } = instance;
  let closed: Promise<void> | undefined;
  const setState = (loginName: string, state: UserState) =>
    instance.setUserState(userNamed(directory, loginName), state);
  const models = { access_tokens: 'AccessToken', refresh_tokens: 'RefreshToken', sessions: 'Session' };
  return {
    issuer: instance.issuer,
    loginOrigin: instance.loginOrigin || instance.issuer,
    projectId: applications.project.id,
    clients: {
      web: applications.web,
      second: applications.second,
      api: withKey(applications.api),
      apiBasic: applications.apiBasic,
      swagger: applications.swagger,
      foreignApi: withKey(applications.foreignApi),
      ...(applications.device && { device: applications.device }),
      ...(applications.exchange && { exchange: applications.exchange }),
      ...(applications.implicit && { implicit: applications.implicit }),
    },
    users: directory.users,
    personalAccessToken: directory.byLoginName(administratorLoginName)?.pat,
    requests: log.requests,
    backChannelDeliveries: backChannel.deliveries,
    eventDeliveries: events.deliveries,
    grants: (type) => log.grants(type),
    rotateKeys: () => instance.keys.rotate(),
    expire: (what) => {
      if (what === 'device_codes') instance.devices.expire();
      else store.removeWhere(models[what], ({ gty }) => gty !== personalAccessTokenGrant);
    },
    setAccessTokenTtl: (seconds) => (lifetimes.accessTokenSeconds = seconds),
    setIdTokenTtl: (seconds) => (lifetimes.idTokenSeconds = seconds),
    setLifetimes: (changed) => void Object.assign(lifetimes, changed),
    setRefreshReuse: (ms) => (instance.refreshRotation.reuseMs = ms),
    setUserActive: (loginName, active) => setState(loginName, active ? 'active' : 'inactive'),
    lockUser: (loginName) => setState(loginName, 'locked'),
    unlockUser: (loginName) => setState(loginName, 'active'),
    removeUser: (loginName) => setState(loginName, 'removed'),
    setPassword: (loginName, password) => setPassword(instance, userNamed(directory, loginName), password),
    grantRole: (loginName, role, organization) => {
      const user = userNamed(directory, loginName);
      publishGrant(instance, user, directory.grantRole(user, role, organization));
      if (!applications.project.roles.includes(role)) applications.project.roles.push(role);
    },
    revokeRole: (loginName, role, organization) => {
      const user = userNamed(directory, loginName);
      publishGrant(instance, user, directory.revokeRole(user, role, organization));
    },
    setLoginV2Required: (isRequired) => (instance.features.loginV2Required = isRequired),
    setBackChannelDenied: (isDenied) => (backChannel.isDenied = isDenied),
    delay: (path, ms) => faults.delay(path, ms),
    fail: (path, status, times = Infinity) => faults.fail(path, status, times),
    drop: (path, times = Infinity) => faults.drop(path, times),
    refuseTokens: (path, times = Infinity) => faults.refuseTokens(path, times),
    ownerOf: async (refreshToken) => {
      const token = await findRefreshToken(instance, refreshToken);
      const user = directory.byId(token?.accountId);
      return user && { loginName: user.loginName, grantId: token?.grantId ?? '' };
    },
    writeKeys: (folder) => writeKeys(instance, folder),
    close: () => (closed ??= stop(instance, listeners)),
  };
}

async function stop({ backChannel, events, keys, faults }: Instance, listeners: Listener[]): Promise<void> {
  faults.stop();
  await Promise.all([backChannel.stop(), events.stop(), ...listeners.map((listener) => listener.close())]);
  keys.release();
}

/** The event of Zitadel's management API v1, which names the user. */
function publishGrant({ events }: Instance, user: SandboxUser, authorization: Authorization): void {
  const event_payload = { userId: user.id, roleKeys: [...authorization.roles] };
  events.publish(grantEvent(user, authorization, 'user.grant.changed', { event_payload }));
}

/** The length of a bcrypt hash: Zitadel sends the hash of the new password with the event. */
const hashLength = 53;

function setPassword({ sessions, events, issuer }: Instance, user: SandboxUser, password: string): void {
  user.password = password;
  sessions.endV1SessionsOf(user.id);
  const encodedHash = `$2a$14$${randomBytes(hashLength).toString('base64url').slice(0, hashLength)}`;
  const event_payload = { encodedHash, changeRequired: false, triggerOrigin: issuer };
  events.publish(userEvent(user, 'user.human.password.changed', { event_payload }));
}

function userNamed(directory: Directory, loginName: string): SandboxUser {
  const user = directory.byLoginName(loginName);
  if (!user) throw new Error(`Unknown user ${loginName}`);
  return user;
}

function withKey(application: Application): SandboxKeyClient {
  return application as Application & SandboxKeyClient;
}

async function writeKeys(instance: Instance, folder: string): Promise<KeyFiles> {
  const { api } = instance.applications;
  const serviceUser = instance.directory.users.find(({ kind }) => kind === 'machine');
  // generate both keys in parallel in background threads
  await Promise.all([rsaKey(api.clientId), serviceUser && rsaKey(serviceUser.id)]);
  await mkdir(folder, { recursive: true });
  const apiKeyFile = join(folder, 'api-key.json');
  await writeSecret(apiKeyFile, JSON.stringify(api.key));
  if (!serviceUser) return { apiKeyFile };
  const serviceUserKeyFile = join(folder, 'service-user-key.json');
  await writeSecret(serviceUserKeyFile, JSON.stringify(serviceUser.key));
  const personalAccessTokenFile = join(folder, 'personal-access-token');
  await writeSecret(personalAccessTokenFile, serviceUser.pat ?? '');
  return { apiKeyFile, serviceUserKeyFile, personalAccessTokenFile };
}

/** Renames a temporary file, so that readers never see a partial file and the mode of an existing file is not kept. */
async function writeSecret(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, `${text}\n`, { mode: ownerOnly });
  await rename(unfinished, path);
}
