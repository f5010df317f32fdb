import type { FurtherApplications, WebClientOptions } from '../directory/applications.js';
import type { OrganizationSpec } from '../directory/organizations.js';
import type { ProjectGrant, UserSpec } from '../directory/users.js';

/** The options of a sandbox; each has a default. */
export interface SandboxOptions extends FurtherApplications {
  /** default 0: a free port */
  port?: number;
  /** origin of a reverse proxy on this machine, for the `iss` of logout tokens; default `http://localhost:PORT` */
  issuer?: string;
  web?: WebClientOptions;
  /** the second web app; defaults for an app on http://localhost:3002 */
  second?: WebClientOptions;
  /** a Swagger UI; defaults for one on http://localhost:3001/api */
  swagger?: WebClientOptions;
  users?: readonly UserSpec[];
  /** organizations with a given id or primary domain; those that users name are created without it */
  organizations?: readonly OrganizationSpec[];
  /** organizations besides Acme, the project's owner, that may grant roles, and which; default: all organizations, all roles */
  projectGrants?: readonly ProjectGrant[];
  /**
   * Zitadel's instance feature: all applications use Login V2, whatever their setting. Default: true, as in v4, unless
   * one of the applications in these options has `loginVersion: 1`.
   */
  loginV2Required?: boolean;
  /**
   * The origin of Login V2: `http://` with `localhost`, `127.0.0.1` or `[::1]` and any port; port 0 takes a free one.
   * Default: the issuer's origin
   */
  loginOrigin?: string;
  /**
   * false: the pages of Login V2 answer 404, or nothing listens at `loginOrigin`, as where Zitadel's login application is not
   * installed; people sign in through the session API. Default true
   */
  hasLoginPages?: boolean;
  /**
   * login names of the users who may impersonate others of their organization by token exchange (Zitadel: the role
   * `ORG_END_USER_IMPERSONATOR`); default: impersonation is disabled, as in Zitadel
   */
  impersonators?: readonly string[];
  /** "Assert Roles on Authentication" of the project; default true */
  projectRoleAssertion?: boolean;
  /** default 43200, as in Zitadel */
  accessTokenTtlSeconds?: number;
  /** default 43200, as in Zitadel */
  idTokenTtlSeconds?: number;
  /** idle lifetime of a refresh token; default 2 592 000 (720 h), as in Zitadel */
  refreshTokenIdleSeconds?: number;
  /** absolute lifetime of a refresh token since the login; default 7 776 000 (2160 h), as in Zitadel */
  refreshTokenSeconds?: number;
  /** a folder to write `api-key.json`, `service-user-key.json` and `personal-access-token` into */
  keyFolder?: string;
  /**
   * true: no project, no application and no authorization, but the users, and a service user with the role IAM_OWNER.
   * `clients` of the sandbox then names applications that are not registered. Default false
   */
  empty?: boolean;
  /** a file to write the personal access token of the service user with the role IAM_OWNER to, with mode 0600 */
  patFile?: string;
  /**
   * How many searches still show the state before a change: Zitadel's searches lag behind its commands. Default 0
   */
  projectionLag?: number;
  /** false: the management API answers as Zitadel of 2025-10, whose v2 had no projects and applications; default true */
  hasManagementV2?: boolean;
  /** number of tries of a back-channel logout; default 3, as in Zitadel */
  backChannelTries?: number;
  /** delay before the second try; the delay before the third is nine times as long; default 1800, as in Zitadel */
  backChannelRetryDelayMs?: number;
  /** time limit for a response to a back-channel logout; default 5000, as in Zitadel */
  backChannelTimeoutMs?: number;
  /** true: Zitadel's default deny list applies, which blocks back-channel logout to loopback addresses; default false */
  backChannelDenied?: boolean;
  /**
   * For how long after its use a refresh token may be used again. Default 0: only overlapping uses succeed, and the
   * token pair of the last one is valid. A few milliseconds make the requests of two application instances overlap
   * reliably. null: a second use always fails.
   */
  refreshReuseMs?: number | null;
}
