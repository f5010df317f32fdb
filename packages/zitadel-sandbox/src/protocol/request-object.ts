import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import type { Instance } from '../instance/instance.js';
import { audiencesIn, claimsSignedWith } from '../keys/client-assertion.js';

const jwtParts = 3;
const base64urlText = /^[\w-]*$/;

/**
 * The parameters of a request object, which take precedence over query and form. The client signs it with its key; its
 * `iss` is the client and its `aud` this issuer (OpenID Connect Core 1.0 section 6.1).
 */
export async function verifiedRequestObject(
  params: Call['params'],
  instance: Instance,
): Promise<Record<string, string>> {
  const request = params['request'] ?? '';
  const unverified = parsed(request);
  const application = instance.applications.oidcClient(params['client_id']);
  // else a client could request authorization for another client
  if ((unverified['client_id'] ?? params['client_id']) !== params['client_id']) {
    throw new OidcError('invalid_request', 'missing or wrong client id in request');
  }
  if (unverified['iss'] !== params['client_id'])
    throw new OidcError('invalid_request', 'missing or wrong issuer in request');
  if (!audiencesIn(unverified).includes(instance.issuer)) {
    throw new OidcError('invalid_request', 'issuer missing in audience');
  }
  const claims = application?.key && (await claimsSignedWith(application.key, request));
  if (!claims) throw new OidcError('invalid_request', 'invalid request signature');
  const usable = Object.entries(claims).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(usable.map(([name, value]) => [name, String(value)]));
}

function parsed(jwt: string): Record<string, unknown> {
  const reason = parseErrorOf(jwt);
  if (reason !== undefined) throw new OidcError('invalid_request', `parsing of request failed: ${reason}`);
  return decodeJwt(jwt);
}

function parseErrorOf(jwt: string): string | undefined {
  const parts = jwt.split('.');
  if (parts.length !== jwtParts) return 'token contains an invalid number of segments';
  const [header = '', payload = ''] = parts;
  // Zitadel parses the header only when it verifies the signature
  if (payload.length % 4 === 1 || !base64urlText.test(payload)) {
    return `malformed jwt payload: illegal base64 data at input byte ${illegalByteIndex(payload)}`;
  }
  try {
    decodeProtectedHeader(`${header}.${payload}.`);
    decodeJwt(jwt);
    return undefined;
  } catch {
    return 'invalid json';
  }
}

function illegalByteIndex(text: string): number {
  const illegal = text.search(/[^\w-]/);
  return illegal === -1 ? text.length - 1 : illegal;
}
