import type { Call, Endpoint } from '../call.js';
import { authenticate } from '../client-authentication.js';
import type { Application } from '../clients.js';
import { grantType } from '../grant-types.js';
import { clientCredentialsGrant } from '../grants/client-credentials.grant.js';
import { codeGrant } from '../grants/code.grant.js';
import { deviceGrant } from '../grants/device.grant.js';
import { jwtProfileGrant } from '../grants/jwt-profile.grant.js';
import { refreshGrant } from '../grants/refresh.grant.js';
import { tokenExchangeGrant } from '../grants/token-exchange.grant.js';
import { OidcError } from '../oidc.error.js';
import type { Realm } from '../realm.js';
import type { TokenResponse } from '../tokens.js';

type ClientGrant = (call: Call, realm: Realm, application: Application) => Promise<TokenResponse>;
type UserGrant = (call: Call, realm: Realm) => Promise<TokenResponse>;

const clientGrants = new Map<string, ClientGrant>([
  [grantType.code, codeGrant],
  [grantType.refreshToken, refreshGrant],
  [grantType.deviceCode, deviceGrant],
  [grantType.tokenExchange, tokenExchangeGrant],
]);

const serviceUserGrants = new Map<string, UserGrant>([
  [grantType.clientCredentials, clientCredentialsGrant],
  [grantType.jwtBearer, jwtProfileGrant],
]);

/** `POST /oauth/v2/token`. */
export const token: Endpoint = async (call, realm) => {
  const type = call.params['grant_type'];
  if (!type) throw new OidcError('invalid_request', 'grant_type missing');
  const serviceUserGrant = serviceUserGrants.get(type);
  const grant = clientGrants.get(type);
  if (serviceUserGrant) call.ctx.body = await serviceUserGrant(call, realm);
  else if (grant) call.ctx.body = await asClient(call, realm, type, grant);
  else throw new OidcError('unsupported_grant_type', `${type} not supported`);
};

async function asClient(call: Call, realm: Realm, type: string, grant: ClientGrant): Promise<TokenResponse> {
  const application = await authenticate(call, realm);
  if (!application.grantTypes.includes(type)) {
    throw new OidcError('unauthorized_client', `grant_type "${type}" not allowed`);
  }
  return grant(call, realm, application);
}
