import { audiencesIn } from './audience.js';
import type { Call } from './call.js';
import { claimsSignedWith } from './client-assertion.js';
import { OidcError } from './oidc.error.js';
import type { Realm } from './realm.js';

/**
 * The parameters inside a `request` JWT, which win over those beside it. The client signs it with its key, names
 * itself as `iss` and this issuer as `aud` (OpenID Connect Core section 6.1).
 */
export async function verifiedRequestObject(
  params: Call['params'],
  realm: Realm,
): Promise<Record<string, string>> {
  const application = realm.applications.byClientId(params['client_id']);
  const claims = application?.key && (await claimsSignedWith(application.key, params['request'] ?? ''));
  const isValid =
    claims?.iss === application?.clientId &&
    audiencesIn(claims ?? {}).includes(realm.issuer) &&
    // else it could make a request in another client's name
    (claims?.['client_id'] ?? application?.clientId) === application?.clientId;
  if (!claims || !isValid) {
    throw new OidcError('invalid_request', 'the request object is not valid');
  }
  const usable = Object.entries(claims).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(usable.map(([name, value]) => [name, String(value)]));
}
