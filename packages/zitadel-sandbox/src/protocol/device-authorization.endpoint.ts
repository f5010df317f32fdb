import { knownScopes, scopesFrom, withAssertedRoleScopes } from '../directory/scopes.js';
import type { Endpoint } from '../instance/instance.js';
import { DeviceRequests } from '../sessions/device-requests.js';
import { authenticate } from './client-authentication.js';

const pollIntervalSeconds = 5;

/**
 * `POST /oauth/v2/device_authorization` (RFC 8628). As in Zitadel, an application without that grant gets codes, too; the
 * token endpoint rejects them.
 */
export const deviceAuthorization: Endpoint = async (call, instance) => {
  const { clientId, project } = await authenticate(call, instance);
  const scopes = withAssertedRoleScopes(knownScopes(scopesFrom(call.params['scope']), project), project);
  const { deviceCode, userCode } = instance.devices.add(clientId, scopes);
  const verificationUri = `${instance.issuer}/device`;
  call.ctx.body = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
    expires_in: DeviceRequests.lifetimeSeconds,
    interval: pollIntervalSeconds,
  };
};
