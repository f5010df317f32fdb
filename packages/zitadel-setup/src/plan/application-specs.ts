import type { Wanted } from './step.js';

/** Lists of an application that setup adds to, and never takes from. */
export const LISTS = ['redirectUris', 'postLogoutRedirectUris', 'responseTypes', 'grantTypes'] as const;

const types = {
  web: 'OIDC_APP_TYPE_WEB',
  userAgent: 'OIDC_APP_TYPE_USER_AGENT',
  native: 'OIDC_APP_TYPE_NATIVE',
} as const;
const grants = {
  code: 'OIDC_GRANT_TYPE_AUTHORIZATION_CODE',
  refresh: 'OIDC_GRANT_TYPE_REFRESH_TOKEN',
  device: 'OIDC_GRANT_TYPE_DEVICE_CODE',
} as const;

/** An application that people sign in to. Words of enums are typed, as Zitadel ignores unknown ones silently. */
export interface OidcSpec {
  applicationType: (typeof types)[keyof typeof types];
  authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE';
  responseTypes: 'OIDC_RESPONSE_TYPE_CODE'[];
  grantTypes: (typeof grants)[keyof typeof grants][];
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  /** undefined: as it is */
  developmentMode?: true;
  /** undefined: as it is */
  backChannelLogoutUri?: string;
}

export interface ApplicationSpec {
  name: string;
  /** undefined: an API application with a key */
  oidc?: OidcSpec;
}

export const applicationNames = {
  web: 'Web application',
  api: 'API',
  swagger: 'Swagger UI',
  commandLine: 'Command line',
} as const;

const publicClient = {
  authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE',
  responseTypes: ['OIDC_RESPONSE_TYPE_CODE'],
  postLogoutRedirectUris: [],
} satisfies Partial<OidcSpec>;

export function applicationSpecs({
  redirectUri,
  postLogoutUri,
  backChannelUri,
  apiOrigin,
}: Wanted): ApplicationSpec[] {
  const web: OidcSpec = {
    ...publicClient,
    applicationType: types.web,
    grantTypes: [grants.code, grants.refresh],
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [postLogoutUri],
    ...(backChannelUri !== undefined && { backChannelLogoutUri: backChannelUri }),
  };
  const swagger: OidcSpec = {
    ...publicClient,
    applicationType: types.userAgent,
    grantTypes: [grants.code],
    redirectUris: [`${apiOrigin}/api/oauth2-redirect.html`],
    // Zitadel refuses http: to applications of this type without it
    ...(apiOrigin.startsWith('http:') && { developmentMode: true }),
  };
  const commandLine: OidcSpec = {
    ...publicClient,
    applicationType: types.native,
    grantTypes: [grants.device, grants.refresh],
    redirectUris: [],
  };
  return [
    { name: applicationNames.web, oidc: web },
    { name: applicationNames.api },
    { name: applicationNames.swagger, oidc: swagger },
    { name: applicationNames.commandLine, oidc: commandLine },
  ];
}
