import type { Call, Endpoint } from '../call.js';
import { authenticate } from '../client-authentication.js';
import type { Application } from '../clients.js';
import { clientCredentialsGrant } from '../grants/client-credentials.grant.js';
import { codeGrant } from '../grants/code.grant.js';
import { jwtProfileGrant } from '../grants/jwt-profile.grant.js';
import { refreshGrant } from '../grants/refresh.grant.js';
import { OidcError } from '../oidc.error.js';
import type { Realm } from '../realm.js';
import type { TokenResponse } from '../tokens.js';

type ClientGrant = (call: Call, realm: Realm, application: Application) => Promise<TokenResponse>;
type UserGrant = (call: Call, realm: Realm) => Promise<TokenResponse>;

const clientGrants = new Map<string, ClientGrant>([
  ['authorization_code', codeGrant],
  ['refresh_token', refreshGrant],
]);

const serviceUserGrants = new Map<string, UserGrant>([
  ['client_credentials', clientCredentialsGrant],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', jwtProfileGrant],
]);

// Zitadel knows these; no application of the sandbox has them
const grantsNobodyHas = [
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
];

/** `POST /oauth/v2/token`. */
export const token: Endpoint = async (call, realm) => {
  const grantType = call.params['grant_type'];
  if (!grantType) throw new OidcError('invalid_request', 'grant_type missing');
  const serviceUserGrant = serviceUserGrants.get(grantType);
  const grant = clientGrants.get(grantType);
  if (!serviceUserGrant && !grant && !grantsNobodyHas.includes(grantType)) {
    throw new OidcError('unsupported_grant_type', `${grantType} not supported`);
  }
  call.ctx.body = serviceUserGrant
    ? await serviceUserGrant(call, realm)
    : await asClient(call, realm, grantType, grant);
};

async function asClient(
  call: Call,
  realm: Realm,
  grantType: string,
  grant: ClientGrant | undefined,
): Promise<TokenResponse> {
  const application = await authenticate(call, realm);
  if (!grant || !application.grantTypes.includes(grantType)) {
    throw new OidcError('unauthorized_client', `grant_type "${grantType}" not allowed`);
  }
  return grant(call, realm, application);
}
