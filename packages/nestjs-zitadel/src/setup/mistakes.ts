/** What the doctor examines, in the order of its report. */
export const checkIds = [
  'configuration',
  'issuer',
  'metadata',
  'keys',
  'client-id',
  'redirect-uri',
  'code-grant',
  'refresh-grant',
  'client-authentication',
  'post-logout-uri',
  'api-key',
  'api-project',
  'login-ui',
  'login-origin',
  'redis',
  'clock',
  'node',
  'ports',
] as const;

export type CheckId = (typeof checkIds)[number];

/** A mistake in the configuration of the application, in Zitadel or in the environment. `{name}` is a value found at run time. */
export interface Mistake {
  check: CheckId;
  /** the variable to change */
  setting: string;
  /** what people or the log see of it; without one it is a variant of the row before */
  seen?: string;
  cause: string;
  cure: string;
}

/** Every known mistake by its code. The start-up check, the doctor and the table in docs/doctor.md are made from it. */
export const mistakes = {
  issuer_unreachable: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The login page says that Zitadel cannot be reached',
    cause: 'Zitadel does not answer at {issuer} ({detail})',
    cure: 'start Zitadel, or correct host, port and scheme of the address: it is the one the console is opened at',
  },
  issuer_without_tls: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    cause: 'the port of {issuer} answers without TLS',
    cure: 'use the address {other}, or put a proxy with TLS in front of Zitadel',
  },
  issuer_with_tls: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    cause: 'the port of {issuer} expects TLS',
    cure: 'use the address {other}',
  },
  issuer_certificate: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The log says "Could not read the metadata of Zitadel" and names a certificate',
    cause: 'the certificate of {issuer} is not accepted ({detail})',
    cure: 'use the host name of the certificate, or name the authority that issued it in NODE_EXTRA_CA_CERTS (a file of Node.js)',
  },
  issuer_other_domain: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The log says "Zitadel is configured for the domain …"',
    cause: 'Zitadel serves the domain {domain}, not {host}',
    cure: 'set the address with {domain}, or let the proxy in front of Zitadel forward the host (X-Forwarded-Host), or change ExternalDomain in Zitadel',
  },
  issuer_no_metadata: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The log says "Could not read the metadata of Zitadel"',
    cause:
      '{issuer} answers {status} to the request for its metadata: it is no Zitadel, or the address has a path or a slash too many',
    cure: 'set the address without a path, as in https://my-instance.zitadel.cloud',
  },
  issuer_redirect: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    cause: '{issuer} redirects the request for its metadata to {location}',
    cure: 'set the origin of that address, if it is your Zitadel',
  },
  issuer_failing: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    cause: 'Zitadel answers {status} to the request for its metadata',
    cure: 'wait until Zitadel has started, or look into its log: it may have no database',
  },
  issuer_other_scheme: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The log says "The metadata have the issuer …"',
    cause:
      'Zitadel calls itself {other}: TLS ends at a proxy that Zitadel does not know of, or the address has the wrong scheme',
    cure: 'set the address {other}, or correct ExternalSecure in Zitadel and X-Forwarded-Proto at the proxy',
  },
  issuer_other: {
    check: 'issuer',
    setting: 'ZITADEL_DOMAIN',
    cause: 'at {issuer} there is the instance {other}',
    cure: 'set the address {other}, or the one of the instance that was meant',
  },
  issuers_differ: {
    check: 'issuer',
    setting: 'IDP_AUTHORITY',
    seen: 'The API answers 401 to the tokens of the web application',
    cause: 'the web application uses {issuer}, the API {other}',
    cure: 'remove IDP_AUTHORITY, or give it the value of ZITADEL_DOMAIN',
  },
  metadata_incomplete: {
    check: 'metadata',
    setting: 'ZITADEL_DOMAIN',
    seen: 'The log says "The metadata have no …"',
    cause: 'the metadata cannot be used: {detail}',
    cure: 'look at what a proxy in front of Zitadel does to its answers, and at ExternalSecure in Zitadel',
  },
  keys_missing: {
    check: 'keys',
    setting: 'ZITADEL_DOMAIN',
    seen: 'A sign-in ends with "The ID token is not accepted"',
    cause: 'the signature keys at {address} cannot be used: {detail}',
    cure: 'look at what a proxy in front of Zitadel does to this address',
  },
  client_unknown: {
    check: 'client-id',
    setting: 'ZITADEL_CLIENT_ID',
    seen: 'Zitadel answers a sign-in with Errors.App.NotFound',
    cause:
      'Zitadel has no active application with this client ID: it is unknown, or the application, its project or its organization was deactivated or removed, or it is the client ID of an API application, an application ID or a project ID',
    cure: 'compare it with the client ID of the web application in the console, and check that application, project and organization are active',
  },
  client_is_api: {
    check: 'client-id',
    setting: 'ZITADEL_CLIENT_ID',
    cause: 'this is the {kind} of the API application, as its key file says',
    cure: 'set the client ID of the web application',
  },
  client_is_project: {
    check: 'client-id',
    setting: 'ZITADEL_CLIENT_ID',
    cause: 'this is the ID of the project (IDP_PROJECT_ID)',
    cure: 'set the client ID of the web application in that project',
  },
  redirect_uri_unknown: {
    check: 'redirect-uri',
    setting: 'ZITADEL_CALLBACK_URL',
    seen: 'Zitadel answers a sign-in with "The requested redirect_uri is missing in the client configuration"',
    cause: '{uri} is not registered',
    cure: 'enter it character by character in the console, application, Redirect Settings, Redirect URIs',
  },
  redirect_uri_near: {
    check: 'redirect-uri',
    setting: 'ZITADEL_CALLBACK_URL',
    cause: '{uri} is not registered, but {other} is: {difference}',
    cure: 'use one and the same in both places: slash, port, scheme, host and case count',
  },
  redirect_uri_http: {
    check: 'redirect-uri',
    setting: 'ZITADEL_CALLBACK_URL',
    seen: `Zitadel answers a sign-in with "This client's redirect_uri is http and is not allowed"`,
    cause: 'Zitadel refuses an http:// address for an application of this type',
    cure: 'switch on Development Mode in the console, choose the type Web, or use https://',
  },
  code_flow_off: {
    check: 'code-grant',
    setting: 'ZITADEL_CLIENT_ID',
    seen: 'Zitadel answers a sign-in with "The requested response type is missing"',
    cause: 'the application may not use the authorization code flow',
    cure: 'tick response type Code and grant type Authorization Code in the console',
  },
  refresh_grant_off: {
    check: 'refresh-grant',
    setting: 'ZITADEL_CLIENT_ID',
    seen: 'Sessions end with their first access token',
    cause: 'the application may not refresh tokens',
    cure: 'tick Refresh Token in the console, application, Grant Types. Until then a session ends with its access token',
  },
  client_secret_missing: {
    check: 'client-authentication',
    setting: 'ZITADEL_CLIENT_SECRET',
    seen: 'A sign-in comes back from Zitadel and fails; the log says "empty client secret"',
    cause: 'the application has a client secret in Zitadel, and none is configured here',
    cure: 'set ZITADEL_CLIENT_SECRET, or choose the authentication method None (PKCE)',
  },
  client_secret_wrong: {
    check: 'client-authentication',
    setting: 'ZITADEL_CLIENT_SECRET',
    seen: 'A sign-in comes back from Zitadel and fails; the log says "invalid secret"',
    cause: 'this is not the secret of the application',
    cure: 'generate a new one in the console',
  },
  client_secret_unused: {
    check: 'client-authentication',
    setting: 'ZITADEL_CLIENT_SECRET',
    seen: 'Sign-ins work with any ZITADEL_CLIENT_SECRET',
    cause: 'the application has the authentication method None (PKCE): Zitadel ignores the secret',
    cure: 'remove ZITADEL_CLIENT_SECRET, or choose the authentication method Basic in the console',
  },
  client_key_expected: {
    check: 'client-authentication',
    setting: 'ZITADEL_CLIENT_SECRET',
    seen: 'A sign-in comes back from Zitadel and fails; the log says "empty client assertion"',
    cause: 'the application authenticates with a private key in Zitadel',
    cure: 'choose the authentication method None (PKCE), Basic or Post',
  },
  post_logout_uri_unknown: {
    check: 'post-logout-uri',
    setting: 'ZITADEL_POST_LOGOUT_URL',
    seen: 'Zitadel answers a sign-out with "post_logout_redirect_uri invalid"',
    cause: '{uri} is not registered',
    cure: 'enter it character by character in the console, application, Redirect Settings, Post Logout URIs',
  },
  post_logout_uri_near: {
    check: 'post-logout-uri',
    setting: 'ZITADEL_POST_LOGOUT_URL',
    cause: '{uri} is not registered, but {other} is: {difference}',
    cure: 'use one and the same in both places: slash, port, scheme, host and case count',
  },
  api_key_refused: {
    check: 'api-key',
    setting: 'ZITADEL_API_KEY_FILE',
    seen: `The API answers 503; the log says "Zitadel does not accept this API's key"`,
    cause:
      'Zitadel refuses the key: it was deleted, has expired or is unknown, its private key is another one, it belongs to another application than its client ID says, or the application is inactive, was removed, or has the authentication method Basic',
    cure: 'make a new key (type JSON) at the API application in the console, and check that the application is active and authenticates with Private Key JWT',
  },
  api_key_clock: {
    check: 'api-key',
    setting: 'ZITADEL_API_KEY_FILE',
    cause:
      'Zitadel refuses the key because of the time in its signature: the clock here is {seconds} s {side}',
    cure: 'set the clock of this machine',
  },
  api_other_project: {
    check: 'api-project',
    setting: 'IDP_PROJECT_ID',
    seen: 'The API answers 401 to good tokens',
    cause:
      'Zitadel calls a token for the project {project} inactive when the API application asks: IDP_PROJECT_ID is not its project, or no project',
    cure: 'set the project of the API application, and make web and API application in one project',
  },
  login_missing: {
    check: 'login-ui',
    setting: 'ZITADEL_DOMAIN',
    seen: 'A sign-in ends at "404 page not found" of Zitadel',
    cause:
      'the login page at {address} answers {status}: the application uses Login V2, and its container does not run or has no route',
    cure: 'start the container of the login and route its path to it, or switch the application (or the feature Login V2 of the instance) to Login V1',
  },
  login_unreachable: {
    check: 'login-ui',
    setting: 'ZITADEL_DOMAIN',
    cause: 'the login page at {address} does not answer ({detail})',
    cure: 'start what serves that address, or correct the base URI of Login V2 in Zitadel',
  },
  redis_unreachable: {
    check: 'redis',
    setting: 'REDIS_URL',
    seen: '/health/ready says that Redis is not reachable',
    cause: 'Redis cannot be used: {detail}',
    cure: 'correct address, user, password and number of the database, or start Redis. Until then each instance has its own state',
  },
  clock_off: {
    check: 'clock',
    setting: '',
    seen: 'Sign-ins fail, and the API answers 503',
    cause: 'the clock here is {seconds} s {side}',
    cure: 'set the clock of this machine, as with NTP. More than a few seconds make tokens and keys invalid',
  },
  node_old: {
    check: 'node',
    setting: '',
    cause: 'this is Node.js {version}',
    cure: 'install Node.js {wanted}',
  },
  port_unusable: {
    check: 'ports',
    setting: 'PORT',
    seen: 'The program does not start: "the port is in use"',
    cause: 'port {port} cannot be used: {detail}',
    cure: 'stop what listens there, or choose another port',
  },
  ports_same: {
    check: 'ports',
    setting: 'APP_PORT',
    cause: 'web application and API have the port {port}',
    cure: 'choose two ports',
  },
} as const satisfies Record<string, Mistake>;

export type MistakeCode = keyof typeof mistakes;

const settings: Partial<Record<CheckId, RegExp>> = {
  issuer: /^(ZITADEL_DOMAIN|IDP_AUTHORITY|ALLOW_INSECURE_HTTP)$/,
  'client-id': /^ZITADEL_CLIENT_ID$/,
  'client-authentication': /^ZITADEL_CLIENT_SECRET$/,
  'redirect-uri': /^ZITADEL_CALLBACK_URL$/,
  'post-logout-uri': /^ZITADEL_POST_LOGOUT_URL$/,
  'api-key': /^(ZITADEL_API_KEY_FILE|IDP_AUTHORIZATION_.*)$/,
  'api-project': /^IDP_PROJECT_ID$/,
  'login-origin': /^ZITADEL_LOGIN_ORIGINS$/,
  redis: /^REDIS_URL$/,
  ports: /^(PORT|APP_PORT)$/,
};

/** The check that names a variable with an invalid value. */
export const checkOfSetting = (variable: string): CheckId =>
  checkIds.find((id) => settings[id]?.test(variable)) ?? 'configuration';

/** Returns `text` with the values of its `{name}` parts. */
export const filled = (text: string, values: Record<string, string | number>): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
