import { applicationKeyFile, type AddedKey, type ApplicationKeyFile } from '../keys/key-file.js';

/** How a client authenticates (Zitadel: "Authentication Method"). */
export type AuthMethod = 'none' | 'basic' | 'post' | 'private_key_jwt';

/** A project, which owns applications and roles. */
export interface Project {
  id: string;
  name: string;
  /** "Assert Roles on Authentication" */
  roleAssertion: boolean;
  roles: string[];
  /** id of the organization that owns it */
  organizationId: string;
  /** "Only authorized users can sign in"; stored, without an effect in the sandbox */
  authorizationRequired?: boolean;
  /** false: deactivated, with all its applications */
  active?: boolean;
}

/** An application of a project, with the settings of Zitadel's console. */
export interface Application {
  kind: 'oidc' | 'api';
  name: string;
  clientId: string;
  appId: string;
  project: Project;
  authMethod: AuthMethod;
  applicationType: 'web' | 'user_agent' | 'native';
  grantTypes: string[];
  responseTypes: string[];
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  devMode: boolean;
  accessTokenType: 'opaque' | 'jwt';
  /** "User Info inside ID Token" */
  idTokenUserinfo: boolean;
  /** "User roles inside ID Token" */
  idTokenRoleAssertion: boolean;
  /** "Add user roles to the access token" */
  accessTokenRoleAssertion: boolean;
  clockSkewSeconds: number;
  /** version of the login UI; 2 is the default of Zitadel v4 */
  loginVersion: 1 | 2;
  /** false: deactivated by an administrator */
  active: boolean;
  clientSecret?: string;
  backChannelLogoutUri?: string;
  /** `initiate_login_uri` (OpenID Connect third-party initiated login); the sandbox's start page links to it */
  initiateLoginUri?: string;
  /** the key JSON in the format of Zitadel's console; generated on first access */
  readonly key?: ApplicationKeyFile;
  /** keys that the management API made */
  addedKeys?: AddedKey<ApplicationKeyFile>[];
  /** the login version as the management API was given it; undefined: that of the instance */
  loginVersionSetting?: object;
}

/** The settings that the application types share. */
type Settings = Pick<
  Application,
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'authMethod'
  | 'applicationType'
  | 'responseTypes'
  | 'accessTokenType'
  | 'idTokenUserinfo'
  | 'idTokenRoleAssertion'
  | 'accessTokenRoleAssertion'
  | 'devMode'
  | 'clockSkewSeconds'
  | 'loginVersion'
  | 'active'
  | 'backChannelLogoutUri'
  | 'initiateLoginUri'
>;

/** Settings of a client; the defaults are those of a web app on http://localhost:3000. */
export interface WebClientOptions extends Partial<Settings> {
  refreshTokenGrant?: boolean;
  /** additional values of `grant_type` */
  furtherGrants?: string[];
}

const webDefaults: Settings = {
  redirectUris: ['http://localhost:3000/auth/callback', 'http://localhost:3000/auth/callback/zitadel'],
  postLogoutRedirectUris: ['http://localhost:3000/auth/logout/callback'],
  authMethod: 'none',
  applicationType: 'web',
  responseTypes: ['code'],
  accessTokenType: 'opaque',
  idTokenUserinfo: false,
  idTokenRoleAssertion: false,
  accessTokenRoleAssertion: false,
  devMode: true,
  clockSkewSeconds: 0,
  loginVersion: 2,
  active: true,
};

/** Applications for flows that a web app does not use; each exists only if its option is set. `{}` takes the defaults. */
export interface FurtherApplications {
  /** a native app with the device authorization grant (RFC 8628) */
  device?: WebClientOptions;
  /** a web app with a secret and the token exchange grant (RFC 8693) */
  exchange?: WebClientOptions;
  /** a single-page app with the response types `id_token` and `id_token token` */
  implicit?: WebClientOptions;
}

const clientIds = {
  web: '320000000000000101',
  second: '320000000000000102',
  api: '320000000000000103',
  apiBasic: '320000000000000104',
  swagger: '320000000000000105',
  device: '320000000000000106',
  exchange: '320000000000000107',
  implicit: '320000000000000108',
  foreignApi: '320000000000000201',
} as const;

/** Ids are the same on every start, so that a written `.env` file stays valid. */
export const defaultIds = {
  ...clientIds,
  project: '320000000000000100',
  foreignProject: '320000000000000200',
  /** Zitadel's own project, which `urn:zitadel:iam:org:project:id:zitadel:aud` refers to */
  zitadelProject: '320000000000000300',
} as const;

export function isApplicationId(id: string): boolean {
  return Object.values<string>(clientIds).includes(id);
}

/**
 * The applications of a sandbox: two web apps, two API apps, a Swagger UI, an API app of another project, and those that
 * the management API makes. With `isEmpty` only the latter are registered.
 */
export class Applications {
  /** all registered applications */
  readonly all: Application[];
  readonly projects: Project[];
  readonly web: Application;
  readonly second: Application;
  readonly api: Application;
  readonly apiBasic: Application;
  readonly swagger: Application;
  readonly foreignApi: Application;
  /** see `FurtherApplications` */
  readonly device: Application | undefined;
  readonly exchange: Application | undefined;
  readonly implicit: Application | undefined;

  constructor(
    readonly project: Project,
    web: WebClientOptions,
    second: WebClientOptions,
    swagger: WebClientOptions,
    { device, exchange, implicit }: FurtherApplications,
    isEmpty: boolean,
  ) {
    const foreignProject: Project = { ...project, id: defaultIds.foreignProject, name: 'Foreign' };
    this.web = webApplication('Web app', defaultIds.web, project, web);
    this.second = webApplication('Second web app', defaultIds.second, project, {
      redirectUris: ['http://localhost:3002/auth/callback'],
      postLogoutRedirectUris: ['http://localhost:3002/auth/logout/callback'],
      ...second,
    });
    this.api = apiApplication('API', defaultIds.api, project, 'private_key_jwt');
    this.apiBasic = apiApplication('API with a secret', defaultIds.apiBasic, project, 'basic');
    this.swagger = webApplication('Swagger UI', defaultIds.swagger, project, {
      redirectUris: ['http://localhost:3001/api/oauth2-redirect.html'],
      postLogoutRedirectUris: [],
      applicationType: 'user_agent',
      refreshTokenGrant: false,
      ...swagger,
    });
    this.foreignApi = apiApplication(
      'API of another project',
      defaultIds.foreignApi,
      foreignProject,
      'private_key_jwt',
    );
    this.device =
      device &&
      webApplication('Device', defaultIds.device, project, {
        redirectUris: [],
        applicationType: 'native',
        furtherGrants: [grantType.deviceCode],
        ...device,
      });
    this.exchange =
      exchange &&
      webApplication('Token exchange', defaultIds.exchange, project, {
        redirectUris: [],
        authMethod: 'basic',
        furtherGrants: [grantType.tokenExchange],
        ...exchange,
      });
    this.implicit =
      implicit &&
      webApplication('Implicit flow', defaultIds.implicit, project, {
        applicationType: 'user_agent',
        refreshTokenGrant: false,
        responseTypes: ['id_token', 'id_token token'],
        ...implicit,
      });
    const further = [this.device, this.exchange, this.implicit].filter((one) => one !== undefined);
    const own = [this.web, this.second, this.api, this.apiBasic, this.swagger, ...further, this.foreignApi];
    this.all = isEmpty ? [] : own;
    this.projects = isEmpty ? [] : [project, foreignProject];
  }

  /** Removes an application; a project goes with its applications. */
  remove(...removed: (Application | Project)[]): void {
    for (const one of removed) {
      if ('kind' in one) this.all.splice(this.all.indexOf(one), 1);
      else this.projects.splice(this.projects.indexOf(one), 1);
    }
  }

  /** The active application of that id, unless it is an API application, which nobody signs in to. */
  oidcClient(clientId: string | undefined): Application | undefined {
    const application = this.byClientId(clientId);
    return application?.kind === 'oidc' ? application : undefined;
  }

  byClientId(clientId: string | undefined): Application | undefined {
    return this.all.find(
      ({ clientId: id, active, project }) => id === clientId && active && (project.active ?? true),
    );
  }

  clientIdsOf(project: Project): string[] {
    return this.all.filter((application) => application.project === project).map(({ clientId }) => clientId);
  }
}

function webApplication(
  name: string,
  clientId: string,
  project: Project,
  { refreshTokenGrant = true, furtherGrants = [], ...settings }: WebClientOptions,
): Application {
  const grantTypes = [
    grantType.code,
    ...(refreshTokenGrant ? [grantType.refreshToken] : []),
    ...furtherGrants,
  ];
  return createApplication({
    ...webDefaults,
    ...settings,
    kind: 'oidc',
    name,
    clientId,
    project,
    grantTypes,
  });
}

function apiApplication(
  name: string,
  clientId: string,
  project: Project,
  authMethod: AuthMethod,
): Application {
  const none = { redirectUris: [], postLogoutRedirectUris: [], responseTypes: [], grantTypes: [] };
  return createApplication({
    ...webDefaults,
    ...none,
    devMode: false,
    kind: 'api',
    name,
    clientId,
    project,
    authMethod,
  });
}

/** Adds the app id, which is the client id plus 10, and the credentials of the authentication method. */
function createApplication(settings: Omit<Application, 'appId' | 'key'>): Application {
  const { authMethod, clientId } = settings;
  const appId = String(BigInt(clientId) + 10n);
  const application: Application = { ...settings, appId };
  if (authMethod === 'basic' || authMethod === 'post') {
    application.clientSecret = `secret-of-client-${clientId}`;
  }
  if (authMethod !== 'private_key_jwt') return application;
  return Object.defineProperty(application, 'key', {
    enumerable: true,
    get: () => applicationKeyFile(clientId, appId),
  });
}

/** The values of `grant_type` that the token endpoint supports. */
export const grantType = {
  code: 'authorization_code',
  refreshToken: 'refresh_token',
  clientCredentials: 'client_credentials',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  deviceCode: 'urn:ietf:params:oauth:grant-type:device_code',
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const;
