import { audiencesIn } from '../audience.js';
import type { Endpoint } from '../call.js';
import { authenticate } from '../client-authentication.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import { findAccessToken, findRefreshToken } from '../presented-token.js';
import type { Realm } from '../realm.js';

/** `POST /oauth/v2/revoke`. An unknown token is a success; a refresh token takes its access token with it. */
export const revoke: Endpoint = async (call, realm) => {
  const application = await authenticate(call, realm);
  const presented = call.params['token'];
  if (!presented) throw new OidcError('invalid_request', 'token missing');
  await revokeRefreshToken(presented, application, realm);
  await revokeAccessToken(presented, application, realm);
  call.ctx.status = 200;
  call.ctx.set('Content-Type', 'application/json');
  call.ctx.body = '';
};

async function revokeRefreshToken(presented: string, application: Application, realm: Realm): Promise<void> {
  const token = await findRefreshToken(realm, presented);
  if (!token) return;
  const owner = realm.applications.byClientId(token.clientId);
  checkOwner(owner?.project === application.project);
  await token.destroy();
  await realm.provider.AccessToken.revokeByGrantId(token.grantId ?? '');
}

async function revokeAccessToken(presented: string, application: Application, realm: Realm): Promise<void> {
  const token = await findAccessToken(realm, presented);
  if (!token) return;
  checkOwner(audiencesIn(token).includes(application.clientId));
  await token.destroy();
}

// any client in the audience may, which is every client of the project
function checkOwner(isOwner: boolean): void {
  if (!isOwner) throw new OidcError('invalid_client', 'token was not issued for this client', 401);
}
