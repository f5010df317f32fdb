import {
  allowInsecureRequests,
  clockTolerance,
  Configuration,
  customFetch,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  ResponseBodyError,
} from 'openid-client';
import { scopesFor } from '../claims/claims.js';
import { isPlainRemote } from '../http/is-plain-remote.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import { askUntil, reasonOf } from './check.js';
import { examineIssuer } from './issuer-checks.js';

/** A native application without a secret, and the project whose API takes the token. */
export interface DeviceClient {
  issuer: string;
  clientId: string;
  /** Default: the project of the application */
  projectId?: string | undefined;
  allowInsecureHttp: boolean;
}

/** What a person has to do. */
export interface DeviceApproval {
  /** the page to open, which knows the code */
  address: string;
  /** the code that the page shows */
  code: string;
  expiresInSeconds: number;
}

/** No token was issued; the message says why, and what to do. */
export class DeviceTokenRefused extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'DeviceTokenRefused';
  }
}

/**
 * Gets an access token that the API takes, by device authorization (RFC 8628): a person allows it in a browser meanwhile. Asks as often as
 * Zitadel says. The token has the roles and the organization of that person.
 *
 * @param show is called with what the person has to do
 * @throws `DeviceTokenRefused`
 */
export async function tokenByDevice(
  client: DeviceClient,
  show: (approval: DeviceApproval) => void,
): Promise<string> {
  const configuration = await configurationFor(client);
  const { projectId: apiProjectId } = client;
  const scopes = scopesFor({ userMetadata: false, apiProjectId });
  const scope = scopes.filter((one) => one !== 'offline_access').join(' ');
  let expiry: AbortSignal | undefined;
  try {
    const started = await initiateDeviceAuthorization(configuration, { scope });
    show({
      address: started.verification_uri_complete ?? started.verification_uri,
      code: started.user_code,
      expiresInSeconds: started.expires_in,
    });
    expiry = AbortSignal.timeout(started.expires_in * 1000);
    const tokens = await pollDeviceAuthorizationGrant(configuration, started, undefined, { signal: expiry });
    return tokens.access_token;
  } catch (error) {
    if (expiry?.aborted) throw new DeviceTokenRefused(refusals.expired_token(), { cause: error });
    throw refusalOf(error, client);
  }
}

async function configurationFor({
  issuer,
  clientId,
  allowInsecureHttp,
}: DeviceClient): Promise<Configuration> {
  const { checks, metadata } = await examineIssuer({ issuer, allowInsecureHttp });
  const problem = checks.find(({ status }) => status === 'wrong');
  if (!metadata) throw new DeviceTokenRefused([problem?.cause, problem?.cure].filter(Boolean).join(': '));
  const address = metadata.device_authorization_endpoint;
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (isPlainRemote(url) && !allowInsecureHttp))
    throw new DeviceTokenRefused(`${issuer} names no valid address for device authorization`);
  const configuration = new Configuration(
    metadata,
    clientId,
    { [clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    None(),
  );
  configuration[customFetch] = (url, { signal, ...init }) => {
    const sent = askUntil(signal ?? new AbortController().signal)(url, init as RequestInit);
    return url === metadata.token_endpoint ? slowedDown(sent) : sent;
  };
  // the addresses were checked above
  allowInsecureRequests(configuration);
  return configuration;
}

/** Without an answer the next request comes later, as if Zitadel had asked for it (RFC 8628 3.5): the person may be signing in meanwhile. */
async function slowedDown(sent: Promise<Response>): Promise<Response> {
  const answer = await sent.catch(() => undefined);
  if (answer && answer.status < 500) return answer;
  return Response.json({ error: 'slow_down' }, { status: 400 });
}

/** Cause and cure by the `error` of RFC 6749 5.2 and RFC 8628 3.5. */
const refusals = {
  access_denied: () => 'The request was denied',
  expired_token: () => 'Nobody allowed the request in time: start again',
  invalid_client: (clientId: string) =>
    `Zitadel has no active application ${clientId}, or the application needs a secret: npm run setup makes one of type Native, and writes ZITADEL_CLI_CLIENT_ID`,
  unauthorized_client: (clientId: string) =>
    `The application ${clientId} may not use device authorization: add the grant type Device Code to it, or run npm run setup`,
} satisfies Record<string, (clientId: string) => string>;

function refusalOf(error: unknown, { clientId, issuer }: DeviceClient): DeviceTokenRefused {
  if (error instanceof ResponseBodyError) {
    const { error: code, error_description: description } = error;
    const known = Object.entries(refusals).find(([name]) => name === code)?.[1](clientId);
    const sentence = known ?? `Zitadel refused the request with ${code}`;
    return new DeviceTokenRefused(
      description === undefined || known ? sentence : `${sentence}: ${description}`,
      {
        cause: error,
      },
    );
  }
  return new DeviceTokenRefused(`${issuer} does not answer as it should: ${reasonOf(error)}`, {
    cause: error,
  });
}
