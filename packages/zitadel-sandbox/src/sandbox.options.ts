import type { FurtherApplications, WebClientOptions } from './clients.js';
import type { UserSpec } from './users.js';

/** How a sandbox is to be; everything has a default. */
export interface SandboxOptions extends FurtherApplications {
  /** 0, the default, takes a free one */
  port?: number;
  web?: WebClientOptions;
  /** the second web app; defaults for an app on http://localhost:3002 */
  second?: WebClientOptions;
  /** a Swagger UI; defaults for one on http://localhost:3001/api */
  swagger?: WebClientOptions;
  users?: readonly UserSpec[];
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
  /** pause before a failed back-channel logout is sent again, doubled the second time; default 1000 */
  backChannelRetryDelayMs?: number;
  /** how long a back-channel logout waits for its answer; default 5000, as Zitadel */
  backChannelTimeoutMs?: number;
}
