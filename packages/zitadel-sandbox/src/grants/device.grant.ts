import type { Call } from '../call.js';
import type { Application } from '../clients.js';
import { newGrantId } from '../grant.js';
import { nowSeconds } from '../now.js';
import { OidcError } from '../oidc.error.js';
import type { Session } from '../provider.js';
import type { Realm } from '../realm.js';
import { issueTokens, type TokenResponse } from '../tokens.js';

const pending =
  'The client SHOULD repeat the access token request to the token endpoint, after interval from device ' +
  'authorization response.';

/** Tokens for a device that somebody has allowed (RFC 8628 section 3.4). However often it asks, it is never told to slow down. */
export async function deviceGrant(
  { params }: Call,
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  if (!params['device_code']) throw new OidcError('invalid_request', 'device_code missing');
  const request = realm.devices.find(params['device_code']);
  if (request?.clientId !== application.clientId) {
    throw new OidcError(
      'invalid_client',
      'client_id does not correspond to the client_id in the authorization request',
    );
  }
  const { state } = request;
  if (state === 'used') throw new OidcError('invalid_grant');
  if (state === 'denied') throw new OidcError('access_denied', 'The authorization request was denied.');
  if (request.expiresAt <= nowSeconds()) {
    throw new OidcError('expired_token', 'The "device_code" has expired.');
  }
  if (state === 'pending') throw new OidcError('authorization_pending', pending);
  request.state = 'used';
  return tokensOf(state.allowedIn, request.scopes, realm, application);
}

async function tokensOf(
  session: Session,
  scopes: string[],
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  const user = realm.directory.byId(session.accountId);
  if (!user?.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  await realm.sessions.addClient(session.jti, application.clientId);
  return issueTokens(realm, {
    id: newGrantId(),
    user,
    application,
    scopes,
    authTime: session.loginTs ?? nowSeconds(),
    amr: session.amr ?? [],
    sid: session.jti,
  });
}
