import type { EventEmitter } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Application, WebClientOptions } from './directory/applications.js';
import type { Directory, SandboxUser, UserState } from './directory/users.js';
import { listen, PortInUseError, type Listener } from './http/listen.js';
import { RequestLog, type RecordedRequest } from './http/request-log.js';
import { isLoopbackUri, loginOriginFrom } from './http/uris.js';
import { createInstance, type Instance, type Lifetimes } from './instance/instance.js';
import type { SandboxOptions } from './instance/sandbox.options.js';
import type { ApplicationKeyFile } from './keys/key-file.js';
import { rsaKey } from './keys/rsa-keys.js';
import { answerRequests } from './routes.js';
import type { BackChannelDelivery } from './sessions/back-channel-logout.js';
import { findRefreshToken } from './tokens/presented-token.js';
import { issuePersonalAccessToken, personalAccessTokenGrant } from './tokens/service-user-tokens.js';

/** What a test or a person needs to know of a client. */
export interface SandboxClient {
  clientId: string;
  appId: string;
  clientSecret?: string;
  /** the key JSON as Zitadel downloads it; made when first read */
  readonly key?: ApplicationKeyFile;
}

/** A client that has a key. */
export interface SandboxKeyClient extends SandboxClient {
  readonly key: ApplicationKeyFile;
}

/** Where credentials were written to; those of the service user only where there is one. */
export interface KeyFiles {
  apiKeyFile: string;
  serviceUserKeyFile?: string;
  personalAccessTokenFile?: string;
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://localhost:PORT`, without a slash at the end */
  issuer: string;
  /** where Login V2 is: the issuer, or the origin that `loginOrigin` asked for */
  loginOrigin: string;
  projectId: string;
  clients: {
    web: SandboxClient;
    /** a second web app of the project, on http://localhost:3002, for single sign-on */
    second: SandboxClient;
    api: SandboxKeyClient;
    /** an API app of the project with a secret */
    apiBasic: SandboxClient;
    /** the Swagger UI of an API of the project, on http://localhost:3001/api: a public client that uses PKCE */
    swagger: SandboxClient;
    /** an API app of another project */
    foreignApi: SandboxKeyClient;
    /** apps for further flows, as far as they were asked for */
    device?: SandboxClient;
    exchange?: SandboxClient;
    implicit?: SandboxClient;
  };
  users: SandboxUser[];
  /** everything that was called, the oldest first */
  requests: RecordedRequest[];
  /** every attempt to deliver a back-channel logout, the oldest first */
  backChannelDeliveries: BackChannelDelivery[];
  /** the token requests with that grant_type */
  grants(type: string): RecordedRequest[];
  /** Makes the next signing key the active one and publishes a new next one; old ones stay published. */
  rotateKeys(): Promise<void>;
  /** Ends all of that kind now; personal access tokens have no end. */
  expire(what: 'access_tokens' | 'refresh_tokens' | 'sessions' | 'device_codes'): void;
  /** Lifetime of access tokens issued from now on; 0 makes them expired from the start. */
  setAccessTokenTtl(seconds: number): void;
  /** Lifetime of ID tokens issued from now on. */
  setIdTokenTtl(seconds: number): void;
  /** Lifetimes of what is issued from now on. */
  setLifetimes(lifetimes: Partial<Lifetimes>): void;
  /** How long after its use a refresh token is answered again; null: not even while it is being used. */
  setRefreshReuse(ms: number | null): void;
  /** Deactivates a user, as an administrator would, or brings the user back. */
  setUserActive(loginName: string, active: boolean): void;
  lockUser(loginName: string): void;
  unlockUser(loginName: string): void;
  removeUser(loginName: string): void;
  /**
   * Grants a role to a user; a role the project does not have yet is created, as an administrator would.
   * `organization` is the name of the one that grants it, the user's own if left out.
   */
  grantRole(loginName: string, role: string, organization?: string): void;
  /** Takes a role away that this organization, the user's own if left out, has granted. */
  revokeRole(loginName: string, role: string, organization?: string): void;
  /** Switches the instance's feature "Login V2". */
  setLoginV2Required(isRequired: boolean): void;
  /** Switches the deny list: on, no back-channel logout is sent. */
  setBackChannelDenied(isDenied: boolean): void;
  /** Makes an endpoint do its work and answer late; 0 = no more. */
  delay(path: string, ms: number): void;
  /** Makes an endpoint answer with a status instead of working, so often or until reset with null. */
  fail(path: string, status: number | null, times?: number): void;
  /** Makes an endpoint do its work and close the connection without an answer, so often; 0 = no more. */
  drop(path: string, times?: number): void;
  /**
   * Makes userinfo say 401, or introspection `{"active":false}`, whatever the token, so often; 0 = no more. Zitadel
   * does this while its database stumbles.
   */
  refuseTokens(path: '/oidc/v1/userinfo' | '/oauth/v2/introspect', times?: number): void;
  /**
   * Whose a refresh token is, and of which login (Zitadel: "OIDC session"; its tokens all have this id); `undefined`
   * when it is not good any more.
   */
  ownerOf(refreshToken: string): Promise<{ loginName: string; grantId: string } | undefined>;
  /** Writes `api-key.json`, `service-user-key.json` and `personal-access-token`, and gives their paths. */
  writeKeys(folder: string): Promise<KeyFiles>;
  /** Stops at once and frees the port. */
  close(): Promise<void>;
}

const ownerOnly = 0o600;

/**
 * Starts a sandbox on the loopback addresses.
 *
 * @throws Error with NODE_ENV=production, or when a back-channel URI is not on this machine
 * @throws PortInUseError when the port is taken
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error(
      'The Zitadel sandbox is for development and tests: it refuses to start with NODE_ENV=production.',
    );
  }
  checkBackChannelUri('web', options.web);
  checkBackChannelUri('second', options.second);
  checkBackChannelUri('swagger', options.swagger);
  checkBackChannelUri('device', options.device);
  checkBackChannelUri('exchange', options.exchange);
  checkBackChannelUri('implicit', options.implicit);
  const loginUrl = options.loginOrigin === undefined ? undefined : loginOriginFrom(options.loginOrigin);
  const listeners = [await listen(options.port ?? 0)];
  try {
    return await openSandbox(options, loginUrl, listeners);
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
}

async function openSandbox(
  options: SandboxOptions,
  loginUrl: URL | undefined,
  listeners: Listener[],
): Promise<Sandbox> {
  const issuer = options.issuer ?? `http://localhost:${listeners[0]?.port}`;
  const loginOrigin = loginUrl && (await openLoginOrigin(loginUrl, issuer, listeners));
  const instance = createInstance(issuer, loginOrigin ?? '', options);
  const log = new RequestLog();
  for (const user of instance.directory.users) {
    if (user.kind === 'machine') user.pat = await issuePersonalAccessToken(instance, user);
  }
  const events: EventEmitter = instance.provider;
  events.on('error', reportFault);
  instance.provider.use(answerRequests(instance, log));
  const answer = instance.provider.callback();
  for (const listener of listeners) {
    listener.answer((request, response) => void answer(request, response));
  }
  const sandbox = sandboxOver(instance, log, listeners);
  if (options.keyFolder !== undefined) await sandbox.writeKeys(options.keyFolder);
  void instance.keys.prepare();
  return sandbox;
}

/** Listens there too, if it is another port; undefined if it is the issuer itself. */
async function openLoginOrigin(url: URL, issuer: string, listeners: Listener[]): Promise<string | undefined> {
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

// a caller that hangs up is no fault of the sandbox
function reportFault(error: NodeJS.ErrnoException): void {
  if (!['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code ?? '')) console.error(error);
}

function checkBackChannelUri(client: string, options: WebClientOptions | undefined): void {
  const uri = options?.backChannelLogoutUri;
  if (uri === undefined || isLoopbackUri(uri)) return;
  throw new Error(
    `${client}.backChannelLogoutUri must be an address of this machine, such as http://localhost:3000/…`,
  );
}

function sandboxOver(instance: Instance, log: RequestLog, listeners: Listener[]): Sandbox {
  const { applications, directory, store, lifetimes, backChannel, faults } = instance;
  let closed: Promise<void> | undefined;
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
    requests: log.requests,
    backChannelDeliveries: backChannel.deliveries,
    grants: (type) => log.grants(type),
    rotateKeys: () => instance.keys.rotate(),
    expire: (what) => {
      if (what === 'device_codes') instance.devices.expire();
      else store.remove(models[what], ({ gty }) => gty !== personalAccessTokenGrant);
    },
    setAccessTokenTtl: (seconds) => (lifetimes.accessTokenSeconds = seconds),
    setIdTokenTtl: (seconds) => (lifetimes.idTokenSeconds = seconds),
    setLifetimes: (changed) => void Object.assign(lifetimes, changed),
    setRefreshReuse: (ms) => (instance.refreshRotation.reuseMs = ms),
    setUserActive: (loginName, active) => setUserState(instance, loginName, active ? 'active' : 'inactive'),
    lockUser: (loginName) => setUserState(instance, loginName, 'locked'),
    unlockUser: (loginName) => setUserState(instance, loginName, 'active'),
    removeUser: (loginName) => setUserState(instance, loginName, 'removed'),
    grantRole: (loginName, role, organization) => {
      directory.grantRole(userNamed(directory, loginName), role, organization);
      if (!applications.project.roles.includes(role)) applications.project.roles.push(role);
    },
    revokeRole: (loginName, role, organization) =>
      directory.revokeRole(userNamed(directory, loginName), role, organization),
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

async function stop({ backChannel, keys, faults }: Instance, listeners: Listener[]): Promise<void> {
  faults.stop();
  await Promise.all([backChannel.stop(), ...listeners.map((listener) => listener.close())]);
  keys.release();
}

/**
 * What Zitadel does when an administrator deactivates, locks or removes somebody: tokens that were issued are dead for
 * good, refresh tokens and sessions of Login V2 live on, no application is told.
 */
function setUserState({ directory, sessions, store }: Instance, loginName: string, state: UserState): void {
  const user = userNamed(directory, loginName);
  user.state = state;
  if (state === 'active' || state === 'removed') sessions.endV1SessionsOf(user.id);
  else sessions.forgetClientsOf(user.id);
  if (state === 'removed') directory.remove(user);
  store.remove(
    'AccessToken',
    (token) => token.accountId === user.id && token.gty !== personalAccessTokenGrant,
  );
}

function userNamed(directory: Directory, loginName: string): SandboxUser {
  const user = directory.byLoginName(loginName);
  if (!user) throw new Error(`There is no user ${loginName}`);
  return user;
}

function withKey(application: Application): SandboxKeyClient {
  return application as Application & SandboxKeyClient;
}

async function writeKeys(instance: Instance, folder: string): Promise<KeyFiles> {
  const { api } = instance.applications;
  const serviceUser = instance.directory.users.find(({ kind }) => kind === 'machine');
  // both at once and in the background, so that a start with keys stays quick
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

/** Whoever waits for the file never sees a part of it, and one that was there before does not lend its mode. */
async function writeSecret(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, `${text}\n`, { mode: ownerOnly });
  await rename(unfinished, path);
}
