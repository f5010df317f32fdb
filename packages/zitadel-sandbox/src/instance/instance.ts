import { Actions } from '../actions/actions.js';
import { Events } from '../actions/events.js';
import { stateEvents } from '../actions/user-events.js';
import { Applications, defaultIds } from '../directory/applications.js';
import { Administrators } from '../directory/administrators.js';
import { Changes } from '../directory/changes.js';
import { administratorLoginName, directoryFrom } from './people.js';
import { projectOwner, type Directory, type SandboxUser, type UserState } from '../directory/users.js';
import type { Call } from '../http/call.js';
import { Faults } from '../http/faults.js';
import { SigningKeys } from '../keys/signing-keys.js';
import { TokenEncryption } from '../keys/token-encryption.js';
import { BackChannelLogout } from '../sessions/back-channel-logout.js';
import { BrowserSessions } from '../sessions/browser-sessions.js';
import { DeviceRequests } from '../sessions/device-requests.js';
import type { Grant } from '../sessions/grant.js';
import { RefreshRotation } from '../sessions/refresh-rotation.js';
import { BoundedMap } from '../storage/bounded-map.js';
import { MemoryStore } from '../storage/memory.adapter.js';
import { createProvider, type Provider } from '../storage/provider.js';
import type { SandboxOptions } from './sandbox.options.js';

const hour = 3600;

/** `gty` of personal access tokens, which live on when an access token of their user would not. */
export const personalAccessTokenGrant = 'pat';

const maxExchanges = 10_000;

/** Lifetimes in seconds; the defaults are Zitadel's (cmd/defaults.yaml, OIDCSettings). */
export interface Lifetimes {
  accessTokenSeconds: number;
  idTokenSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenSeconds: number;
}

/** Instance features (Zitadel: "Features"). */
export interface Features {
  /** all applications use Login V2, whatever their setting */
  loginV2Required: boolean;
}

/** The state that all endpoints of one sandbox share (Zitadel: "instance"). */
export interface Instance {
  issuer: string;
  provider: Provider;
  store: MemoryStore;
  applications: Applications;
  directory: Directory;
  keys: SigningKeys;
  encryption: TokenEncryption;
  lifetimes: Lifetimes;
  devices: DeviceRequests;
  /** the grants of token exchanges, by id */
  exchanges: BoundedMap<string, Grant>;
  /** login names of the users who may impersonate others of their organization; undefined: impersonation is disabled */
  impersonators: readonly string[] | undefined;
  features: Features;
  faults: Faults;
  /** origin of Login V2; empty: the issuer's origin */
  loginOrigin: string;
  /** false: the pages of Login V2 answer 404 */
  hasLoginPages: boolean;
  refreshRotation: RefreshRotation;
  sessions: BrowserSessions;
  backChannel: BackChannelLogout;
  administrators: Administrators;
  actions: Actions;
  events: Events;
  /** when what the management API shows was changed */
  changes: Changes;
  /** false: the services of the management API v2 that Zitadel did not have in 2025-10 answer 404 */
  hasManagementV2: boolean;
  /** Sets the state of a user, with the consequences it has in Zitadel. `by` is the id of who does it. */
  setUserState(user: SandboxUser, state: UserState, by?: string): void;
}

/** The handler of one path. */
export type Endpoint = (call: Call, instance: Instance) => Promise<void> | void;

/** Creates an instance without sessions. */
export function createInstance(issuer: string, loginOrigin: string, options: SandboxOptions): Instance {
  const directory = directoryFrom(options);
  const granted = directory.users.flatMap(({ authorizations }) =>
    authorizations.flatMap(({ roles }) => roles),
  );
  const project = {
    id: defaultIds.project,
    name: 'Sandbox',
    roleAssertion: options.projectRoleAssertion ?? true,
    roles: [...new Set(['admin', 'editor', 'viewer', ...granted])],
    organizationId: directory.addOrganization(projectOwner).id,
  };
  const applications = new Applications(
    project,
    options.web ?? {},
    options.second ?? {},
    options.swagger ?? {},
    options,
    options.empty ?? false,
  );
  const store = new MemoryStore();
  const provider = createProvider(issuer, store, [
    ...applications.all.map(({ clientId }) => clientId),
    ...directory.users.map(({ id }) => id),
  ]);
  const keys = new SigningKeys();
  const sessions = new BrowserSessions(provider, store);
  const backChannel = new BackChannelLogout(issuer, applications, keys, {
    timeoutMs: options.backChannelTimeoutMs ?? 5000,
    tries: options.backChannelTries ?? 3,
    retryDelayMs: options.backChannelRetryDelayMs ?? 1800,
  });
  backChannel.isDenied = options.backChannelDenied ?? false;
  const actions = new Actions();
  const events = new Events(actions);
  return {
    issuer,
    provider,
    store,
    applications,
    directory,
    keys,
    encryption: new TokenEncryption(),
    devices: new DeviceRequests(),
    exchanges: new BoundedMap(maxExchanges),
    impersonators: options.impersonators,
    sessions,
    backChannel,
    features: {
      loginV2Required:
        options.loginV2Required ??
        // without applications (`empty`) the option stands for those to come
        [options.web ?? {}, ...applications.all].every(({ loginVersion = 2 }) => loginVersion === 2),
    },
    faults: new Faults(),
    administrators: administratorsIn(directory),
    actions,
    events,
    changes: new Changes(options.projectionLag ?? 0),
    setUserState: (user, state, by) => {
      for (const event of stateEvents(user, user.state, state, by)) events.publish(event);
      setUserState({ directory, sessions, store }, user, state);
    },
    hasManagementV2: options.hasManagementV2 ?? true,
    loginOrigin,
    hasLoginPages: options.hasLoginPages ?? true,
    refreshRotation: new RefreshRotation(options.refreshReuseMs === undefined ? 0 : options.refreshReuseMs),
    lifetimes: {
      accessTokenSeconds: options.accessTokenTtlSeconds ?? 12 * hour,
      idTokenSeconds: options.idTokenTtlSeconds ?? 12 * hour,
      refreshTokenIdleSeconds: options.refreshTokenIdleSeconds ?? 720 * hour,
      refreshTokenSeconds: options.refreshTokenSeconds ?? 2160 * hour,
    },
  };
}

/** The service user of `--pat-file` has the role IAM_OWNER. */
function administratorsIn({ users }: Directory): Administrators {
  const administrators = new Administrators();
  const owner = users.find(({ loginName }) => loginName === administratorLoginName);
  if (owner) administrators.add({ userId: owner.id, resource: {}, roles: ['IAM_OWNER'] });
  return administrators;
}

/**
 * Issued access tokens are revoked, refresh tokens and sessions of Login V2 stay valid, and no back-channel logout is
 * sent.
 */
function setUserState(
  { directory, sessions, store }: Pick<Instance, 'directory' | 'sessions' | 'store'>,
  user: SandboxUser,
  state: UserState,
): void {
  user.state = state;
  if (state === 'active' || state === 'removed') sessions.endV1SessionsOf(user.id);
  else sessions.forgetClientsOf(user.id);
  if (state === 'removed') directory.remove(user);
  store.removeWhere(
    'AccessToken',
    (token) => token.accountId === user.id && token.gty !== personalAccessTokenGrant,
  );
}
