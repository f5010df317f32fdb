import type { FurtherApplications, WebClientOptions } from '../directory/applications.js';
import type { OrganizationSpec } from '../directory/organizations.js';
import type { ProjectGrant, UserSpec } from '../directory/users.js';

/** How a sandbox is to be; everything has a default. */
export interface SandboxOptions extends FurtherApplications {
  /** 0, the default, takes a free one */
  port?: number;
  /** where a proxy in front of it is, on this machine: logout tokens name that address; default `http://localhost:PORT` */
  issuer?: string;
  web?: WebClientOptions;
  /** the second web app; defaults for an app on http://localhost:3002 */
  second?: WebClientOptions;
  /** a Swagger UI; defaults for one on http://localhost:3001/api */
  swagger?: WebClientOptions;
  users?: readonly UserSpec[];
  /** organizations whose id or primary domain matters; those that users name are there anyway */
  organizations?: readonly OrganizationSpec[];
  /** which organizations beside Acme, the project's owner, may grant which of its roles; default: all, any */
  projectGrants?: readonly ProjectGrant[];
  /**
   * Zitadel's instance feature: everybody is sent to Login V2, whatever the application is set to. Default: on, as in
   * v4, unless an application of these options is set to Login V1.
   */
  loginV2Required?: boolean;
  /**
   * Where Login V2 is, if not on the issuer's own origin: `http://` with `localhost`, `127.0.0.1` or `[::1]` and any
   * port; port 0 takes a free one
   */
  loginOrigin?: string;
  /**
   * login names of those who may act for others of their organization by token exchange (Zitadel: the role
   * `ORG_END_USER_IMPERSONATOR`); impersonation is off without it, as Zitadel is shipped
   */
  impersonators?: readonly string[];
  /** "Assert Roles on Authentication" of the project; default true */
  projectRoleAssertion?: boolean;
  /** default 43200, as Zitadel */
  accessTokenTtlSeconds?: number;
  /** default 43200, as Zitadel */
  idTokenTtlSeconds?: number;
  /** how long a refresh token lives unused; default 720 h, as Zitadel */
  refreshTokenIdleSeconds?: number;
  /** how long refreshing may go on after the login; default 2160 h, as Zitadel */
  refreshTokenSeconds?: number;
  /** a folder to write `api-key.json`, `service-user-key.json` and `personal-access-token` into */
  keyFolder?: string;
  /** how often a back-channel logout is tried; default 3, as Zitadel */
  backChannelTries?: number;
  /** pause before the second try, the third waits nine times as long; default 1800 (1.8 s and 16 s), as Zitadel */
  backChannelRetryDelayMs?: number;
  /** how long a back-channel logout waits for its answer; default 5000, as Zitadel */
  backChannelTimeoutMs?: number;
  /** Zitadel's deny list as it is shipped: back-channel logout to this machine is never sent; default false */
  backChannelDenied?: boolean;
  /**
   * For how long a refresh token that was used is answered again; default 0: only uses that overlap are all answered,
   * and the pair of the last one is good. Some milliseconds make those of two instances overlap for sure; null: a
   * second use is always refused.
   */
  refreshReuseMs?: number | null;
}
