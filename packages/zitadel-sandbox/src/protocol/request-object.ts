import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import type { Instance } from '../instance/instance.js';
import { audiencesIn, claimsSignedWith } from '../keys/client-assertion.js';

const jwtParts = 3;
const base64urlText = /^[\w-]*$/;

/**
 * The parameters inside a `request` JWT, which win over those beside it. The client signs it with its key, names
 * itself as `iss` and this issuer as `aud` (OpenID Connect Core section 6.1).
 */
export async function verifiedRequestObject(
  params: Call['params'],
  instance: Instance,
): Promise<Record<string, string>> {
  const request = params['request'] ?? '';
  const unverified = parsed(request);
  const application = instance.applications.oidcClient(params['client_id']);
  // else it could make a request in another client's name
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
  const reason = unreadableBecause(jwt);
  if (reason !== undefined) throw new OidcError('invalid_request', `parsing of request failed: ${reason}`);
  return decodeJwt(jwt);
}

function unreadableBecause(jwt: string): string | undefined {
  const parts = jwt.split('.');
  if (parts.length !== jwtParts) return 'token contains an invalid number of segments';
  const [header = '', payload = ''] = parts;
  // the header is only read when the signature is checked
  if (payload.length % 4 === 1 || !base64urlText.test(payload)) {
    return `malformed jwt payload: illegal base64 data at input byte ${illegalByte(payload)}`;
  }
  try {
    decodeProtectedHeader(`${header}.${payload}.`);
    decodeJwt(jwt);
    return undefined;
  } catch {
    return 'invalid json';
  }
}

function illegalByte(text: string): number {
  const illegal = text.search(/[^\w-]/);
  return illegal === -1 ? text.length - 1 : illegal;
}
