import { type Application, grantType } from '../directory/applications.js';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import type { TokenResponse } from '../tokens/token-response.js';
import { authenticate } from './client-authentication.js';
import { codeGrant } from './grants/code.grant.js';
import { deviceGrant } from './grants/device.grant.js';
import { refreshGrant } from './grants/refresh.grant.js';
import { clientCredentialsGrant, jwtProfileGrant } from './grants/service-user.grants.js';
import { tokenExchangeGrant } from './grants/token-exchange.grant.js';

type ClientGrant = (call: Call, instance: Instance, application: Application) => Promise<TokenResponse>;
type UserGrant = (call: Call, instance: Instance) => Promise<TokenResponse>;

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
export const token: Endpoint = async (call, instance) => {
  const type = call.params['grant_type'];
  if (!type) throw new OidcError('invalid_request', 'grant_type missing');
  const serviceUserGrant = serviceUserGrants.get(type);
  const grant = clientGrants.get(type);
  if (serviceUserGrant) call.ctx.body = await serviceUserGrant(call, instance);
  else if (grant) call.ctx.body = await grantToClient(call, instance, type, grant);
  else throw new OidcError('unsupported_grant_type', `${type} not supported`);
};

async function grantToClient(
  call: Call,
  instance: Instance,
  type: string,
  grant: ClientGrant,
): Promise<TokenResponse> {
  const application = await authenticate(call, instance);
  if (!application.grantTypes.includes(type)) {
    throw new OidcError('unauthorized_client', `grant_type "${type}" not allowed`);
  }
  return grant(call, instance, application);
}
