import type { Application } from '../directory/applications.js';
import { OidcError } from '../http/oidc.error.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import { audiencesIn } from '../keys/client-assertion.js';
import { findAccessToken, findRefreshToken } from '../tokens/presented-token.js';
import { authenticate } from './client-authentication.js';

/** `POST /oauth/v2/revoke` (RFC 7009). An unknown token is a success; revoking a refresh token revokes its access token. */
export const revoke: Endpoint = async (call, instance) => {
  const application = await authenticate(call, instance);
  const presented = call.params['token'];
  if (!presented) throw new OidcError('invalid_request', 'token missing');
  await revokeRefreshToken(presented, application, instance);
  await revokeAccessToken(presented, application, instance);
  call.ctx.status = 200;
  call.ctx.set('Content-Type', 'application/json');
  call.ctx.body = '';
};

async function revokeRefreshToken(
  presented: string,
  application: Application,
  instance: Instance,
): Promise<void> {
  const token = await findRefreshToken(instance, presented);
  if (!token) return;
  const owner = instance.applications.byClientId(token.clientId);
  checkOwner(owner?.project === application.project);
  await token.destroy();
  await instance.provider.AccessToken.revokeByGrantId(token.grantId ?? '');
}

async function revokeAccessToken(
  presented: string,
  application: Application,
  instance: Instance,
): Promise<void> {
  const token = await findAccessToken(instance, presented);
  if (!token) return;
  checkOwner(audiencesIn(token).includes(application.clientId));
  await token.destroy();
}

// every client in the audience may revoke a token: all clients of the project
function checkOwner(isOwner: boolean): void {
  if (!isOwner) throw new OidcError('invalid_client', 'token was not issued for this client', 401);
}
