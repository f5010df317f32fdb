/** Configuration problems because of which Zitadel refuses this program, for the readiness check. */
export abstract class SetupProblems {
  abstract get codes(): readonly string[];
}

/** A problem in the configuration of the application, in Zitadel or in the environment. */
export interface SetupProblem {
  code: keyof typeof cures;
  /** instruction for the operator */
  cure: string;
}

/** Status and error (RFC 6749 5.2) of the response to a probe. */
export interface ProbeAnswer {
  status: number;
  error: string;
  description: string;
}

const cures = {
  client_unknown:
    'Zitadel has no active application with the client ID in ZITADEL_CLIENT_ID: compare it with the client ID of the application in the console (not its application ID, not an API application), and check that application, project and organization are active',
  redirect_uri_unknown:
    'ZITADEL_CALLBACK_URL is not registered: enter it character by character in the console, application, Redirect Settings, Redirect URIs',
  redirect_uri_http:
    'Zitadel refuses the http:// address in ZITADEL_CALLBACK_URL for an application of this type: switch on Development Mode, or choose the type Web',
  code_flow_off:
    'the application may not use the authorization code flow: tick response type Code and grant type Authorization Code in the console',
  post_logout_uri_unknown:
    'ZITADEL_POST_LOGOUT_URL is not registered: enter it character by character in the console, application, Redirect Settings, Post Logout URIs',
  refresh_grant_off:
    'the application may not refresh tokens: tick Refresh Token in the console, application, Grant Types. Until then a session ends with its access token',
  client_secret_missing:
    'the application has a client secret in Zitadel: set ZITADEL_CLIENT_SECRET, or choose the authentication method None (PKCE)',
  client_secret_wrong:
    'ZITADEL_CLIENT_SECRET is not the secret of the application: generate a new one in the console',
  client_key_expected:
    'the application authenticates with a private key in Zitadel: choose the authentication method None (PKCE), Basic or Post',
} as const;

type Code = SetupProblem['code'];

/** Error responses of Zitadel to the probes, as recorded (v4, 2026-07). */
const rows: Record<Probe, readonly [RegExp, Code][]> = {
  authorize: [
    [/^invalid_request Errors\.App\.NotFound/, 'client_unknown'],
    [/redirect_uri is missing in the client configuration/, 'redirect_uri_unknown'],
    [/redirect_uri is http and is not allowed/, 'redirect_uri_http'],
    [/^unauthorized_client .*response type is missing/, 'code_flow_off'],
  ],
  token: [
    [/^invalid_client no active client not found/, 'client_unknown'],
    [/^invalid_client empty client secret/, 'client_secret_missing'],
    [/^invalid_client empty client assertion/, 'client_key_expected'],
    [/^invalid_client invalid secret/, 'client_secret_wrong'],
    [/^unauthorized_client grant_type "authorization_code" not allowed/, 'code_flow_off'],
  ],
  refresh: [[/^unauthorized_client grant_type "refresh_token" not allowed/, 'refresh_grant_off']],
  endSession: [[/post_logout_redirect_uri invalid/, 'post_logout_uri_unknown']],
};

/** A request to Zitadel that needs no browser and changes nothing. */
export type Probe = 'authorize' | 'token' | 'refresh' | 'endSession';

/** Returns the problems that the responses show, each once. */
export function problemsIn(answers: Partial<Record<Probe, ProbeAnswer>>): SetupProblem[] {
  const codes = Object.entries(answers).flatMap(([probe, { status, error, description }]) => {
    if (status < 400) return [];
    const row = rows[probe as Probe].find(([words]) => words.test(`${error} ${description}`));
    return row ? [row[1]] : [];
  });
  return [...new Set(codes)].map((code) => ({ code, cure: cures[code] }));
}
