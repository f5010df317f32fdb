import type { Endpoint } from '../call.js';
import { authenticate } from '../client-authentication.js';
import { DeviceRequests } from '../device-requests.js';
import { knownScopes, scopesFrom, withAssertedRoles } from '../scopes.js';

const pollIntervalSeconds = 5;

/**
 * `POST /oauth/v2/device_authorization` (RFC 8628). An application without the grant gets codes as well; the token
 * endpoint refuses them.
 */
export const deviceAuthorization: Endpoint = async (call, realm) => {
  const { clientId, project } = await authenticate(call, realm);
  const scopes = withAssertedRoles(knownScopes(scopesFrom(call.params['scope']), project), project);
  const { deviceCode, userCode } = realm.devices.add(clientId, scopes);
  const verificationUri = `${realm.issuer}/device`;
  call.ctx.body = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
    expires_in: DeviceRequests.lifetimeSeconds,
    interval: pollIntervalSeconds,
  };
};
