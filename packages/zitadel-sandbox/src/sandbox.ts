import type { EventEmitter } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BackChannelLogout, type BackChannelDelivery } from './back-channel-logout.js';
import { BrowserSessions } from './browser-sessions.js';
import { Applications, defaultIds, type Application, type WebClientOptions } from './clients.js';
import { DeviceRequests } from './device-requests.js';
import { Faults } from './faults.js';
import type { ApplicationKeyFile } from './key-file.js';
import { listen, type Listener } from './listen.js';
import { isThisMachine } from './loopback.js';
import { MemoryStore } from './memory.adapter.js';
import { createProvider } from './provider.js';
import type { Realm } from './realm.js';
import { RequestLog, type RecordedRequest } from './request-log.js';
import { rsaKey } from './rsa-key.js';
import { answerRequests } from './routes.js';
import type { SandboxOptions } from './sandbox.options.js';
import { issuePersonalAccessToken, personalAccessTokenGrant } from './service-user-tokens.js';
import { SigningKeys } from './signing-keys.js';
import { TokenSeal } from './token-seal.js';
import { defaultUsers, Directory, type SandboxUser, type UserSpec } from './users.js';

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
  expire(what: 'access_tokens' | 'refresh_tokens' | 'sessions'): void;
  /** Lifetime of access tokens issued from now on; 0 makes them expired from the start. */
  setAccessTokenTtl(seconds: number): void;
  /** Lifetime of ID tokens issued from now on. */
  setIdTokenTtl(seconds: number): void;
  /** Deactivates a user, as an administrator would, or brings the user back. */
  setUserActive(loginName: string, active: boolean): void;
  /** Grants a role to a user; a role the project does not have yet is created, as an administrator would. */
  grantRole(loginName: string, role: string): void;
  /** Makes an endpoint do its work and answer late; 0 = no more. */
  delay(path: string, ms: number): void;
  /** Makes an endpoint answer with a status instead of working, until reset with null. */
  fail(path: string, status: number | null): void;
  /** Writes `api-key.json`, `service-user-key.json` and `personal-access-token`, and gives their paths. */
  writeKeys(folder: string): Promise<KeyFiles>;
  /** Stops at once and frees the port. */
  close(): Promise<void>;
}

const hour = 3600;
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
  const listener = await listen(options.port ?? 0);
  try {
    return await openSandbox(options, listener);
  } catch (error) {
    await listener.close();
    throw error;
  }
}

async function openSandbox(
  options: SandboxOptions,
  listener: Awaited<ReturnType<typeof listen>>,
): Promise<Sandbox> {
  const realm = createRealm(`http://localhost:${listener.port}`, options);
  const log = new RequestLog();
  const faults = new Faults();
  for (const user of realm.directory.users) {
    if (user.kind === 'machine') user.pat = await issuePersonalAccessToken(realm, user);
  }
  const events: EventEmitter = realm.provider;
  events.on('error', reportFault);
  realm.provider.use(answerRequests(realm, log, faults));
  const answer = realm.provider.callback();
  listener.answer((request, response) => void answer(request, response));
  const sandbox = sandboxOver(realm, log, faults, listener);
  if (options.keyFolder !== undefined) await sandbox.writeKeys(options.keyFolder);
  void realm.keys.prepare();
  return sandbox;
}

// a caller that hangs up is no fault of the sandbox
function reportFault(error: NodeJS.ErrnoException): void {
  if (!['ECONNRESET', 'HPE_INVALID_EOF_STATE'].includes(error.code ?? '')) console.error(error);
}

function checkBackChannelUri(client: string, options: WebClientOptions | undefined): void {
  const uri = options?.backChannelLogoutUri;
  if (uri === undefined || isThisMachine(uri)) return;
  throw new Error(
    `${client}.backChannelLogoutUri must be an address of this machine, such as http://localhost:3000/…`,
  );
}

function createRealm(issuer: string, options: SandboxOptions): Realm {
  const specs: readonly UserSpec[] = options.users ?? defaultUsers;
  const directory = new Directory(specs);
  const grants = directory.users.flatMap((user) => [
    ...user.roles,
    ...(user.grants ?? []).flatMap(({ roles }) => roles),
  ]);
  const project = {
    id: defaultIds.project,
    name: 'Sandbox',
    roleAssertion: options.projectRoleAssertion ?? true,
    roles: [...new Set(['admin', 'editor', 'viewer', ...grants])],
  };
  const applications = new Applications(
    project,
    options.web ?? {},
    options.second ?? {},
    options.swagger ?? {},
    options,
  );
  const store = new MemoryStore();
  const provider = createProvider(issuer, store, applications.all, directory.users);
  const keys = new SigningKeys();
  return {
    issuer,
    provider,
    store,
    applications,
    directory,
    keys,
    seal: new TokenSeal(),
    devices: new DeviceRequests(),
    sessions: new BrowserSessions(provider, store),
    backChannel: new BackChannelLogout(issuer, applications, keys, {
      timeoutMs: options.backChannelTimeoutMs ?? 5000,
      retryDelayMs: options.backChannelRetryDelayMs ?? 1000,
    }),
    lifetimes: {
      accessTokenSeconds: options.accessTokenTtlSeconds ?? 12 * hour,
      idTokenSeconds: options.idTokenTtlSeconds ?? 12 * hour,
      refreshTokenIdleSeconds: options.refreshTokenIdleSeconds ?? 720 * hour,
      refreshTokenSeconds: options.refreshTokenSeconds ?? 2160 * hour,
    },
  };
}

function sandboxOver(realm: Realm, log: RequestLog, faults: Faults, listener: Listener): Sandbox {
  const { applications, directory, store, lifetimes, backChannel } = realm;
  let closed: Promise<void> | undefined;
  const models = { access_tokens: 'AccessToken', refresh_tokens: 'RefreshToken', sessions: 'Session' };
  return {
    issuer: realm.issuer,
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
    rotateKeys: () => realm.keys.rotate(),
    expire: (what) => store.remove(models[what], ({ gty }) => gty !== personalAccessTokenGrant),
    setAccessTokenTtl: (seconds) => (lifetimes.accessTokenSeconds = seconds),
    setIdTokenTtl: (seconds) => (lifetimes.idTokenSeconds = seconds),
    setUserActive: (loginName, active) => {
      userNamed(directory, loginName).active = active;
    },
    grantRole: (loginName, role) => {
      userNamed(directory, loginName).roles.push(role);
      if (!applications.project.roles.includes(role)) applications.project.roles.push(role);
    },
    delay: (path, ms) => faults.delay(path, ms),
    fail: (path, status) => faults.fail(path, status),
    writeKeys: (folder) => writeKeys(realm, folder),
    close: () => (closed ??= stop(realm, faults, listener)),
  };
}

async function stop({ backChannel, keys }: Realm, faults: Faults, listener: Listener): Promise<void> {
  faults.stop();
  await Promise.all([backChannel.stop(), listener.close()]);
  keys.release();
}

function userNamed(directory: Directory, loginName: string): SandboxUser {
  const user = directory.byLoginName(loginName);
  if (!user) throw new Error(`There is no user ${loginName}`);
  return user;
}

function withKey(application: Application): SandboxKeyClient {
  return application as Application & SandboxKeyClient;
}

async function writeKeys(realm: Realm, folder: string): Promise<KeyFiles> {
  const { api } = realm.applications;
  const serviceUser = realm.directory.users.find(({ kind }) => kind === 'machine');
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

async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', ownerOnly);
  try {
    // a file that was there before keeps its mode; changed before the key is in it
    await file.chmod(ownerOnly);
    await file.writeFile(`${text}\n`);
  } finally {
    await file.close();
  }
}
