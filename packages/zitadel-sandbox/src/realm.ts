import type { Applications } from './clients.js';
import type { BackChannelLogout } from './back-channel-logout.js';
import type { BrowserSessions } from './browser-sessions.js';
import type { Grant } from './grant.js';
import type { LatestMap } from './latest.map.js';
import type { DeviceRequests } from './device-requests.js';
import type { Faults } from './faults.js';
import type { MemoryStore } from './memory.adapter.js';
import type { Provider } from './provider.js';
import type { RefreshRotation } from './refresh-rotation.js';
import type { SigningKeys } from './signing-keys.js';
import type { TokenSeal } from './token-seal.js';
import type { Directory } from './users.js';

/** Lifetimes in seconds; the defaults are Zitadel's (cmd/defaults.yaml, OIDCSettings). */
export interface Lifetimes {
  accessTokenSeconds: number;
  idTokenSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenSeconds: number;
}

/** Switches of the instance (Zitadel: "Features"). */
export interface Features {
  /** everybody is sent to Login V2, whatever the application is set to */
  loginV2Required: boolean;
}

/** What all endpoints of one sandbox share. */
export interface Realm {
  issuer: string;
  provider: Provider;
  store: MemoryStore;
  applications: Applications;
  directory: Directory;
  keys: SigningKeys;
  seal: TokenSeal;
  lifetimes: Lifetimes;
  devices: DeviceRequests;
  /** exchanged tokens, by the id of their grant */
  exchanges: LatestMap<string, Grant>;
  /** login names of those who may act for people of their organization; undefined: impersonation is off */
  impersonators: readonly string[] | undefined;
  features: Features;
  faults: Faults;
  /** origin of Login V2; empty on the issuer's own */
  loginOrigin: string;
  refreshRotation: RefreshRotation;
  sessions: BrowserSessions;
  backChannel: BackChannelLogout;
}
