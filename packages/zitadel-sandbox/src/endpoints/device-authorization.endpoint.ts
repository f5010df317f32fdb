import type { Endpoint } from '../call.js';
import { authenticate } from '../client-authentication.js';
import { OidcError } from '../oidc.error.js';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** `POST /oauth/v2/device_authorization`: no application of the sandbox has the device grant. */
export const deviceAuthorization: Endpoint = async (call, realm) => {
  await authenticate(call, realm);
  throw new OidcError('unauthorized_client', `grant_type "${deviceGrant}" not allowed`);
};
