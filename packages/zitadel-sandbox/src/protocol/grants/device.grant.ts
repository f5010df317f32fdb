import type { Application } from '../../directory/applications.js';
import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import { newGrantId } from '../../sessions/grant.js';
import { nowSeconds } from '../../storage/now.js';
import type { Session } from '../../storage/provider.js';
import { issueTokens, type TokenResponse } from '../../tokens/token-response.js';

const pending =
  'The client SHOULD repeat the access token request to the token endpoint, after interval from device ' +
  'authorization response.';

/** The device authorization grant (RFC 8628 section 3.4). As in Zitadel, it never answers `slow_down`. */
export async function deviceGrant(
  { params }: Call,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  if (!params['device_code']) throw new OidcError('invalid_request', 'device_code missing');
  const request = instance.devices.find(params['device_code']);
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
  return tokensOf(state.allowedIn, request.scopes, instance, application);
}

async function tokensOf(
  session: Session,
  scopes: string[],
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  const user = instance.directory.byId(session.accountId);
  if (!user?.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  await instance.sessions.addClient(session.jti, application.clientId);
  return issueTokens(instance, {
    id: newGrantId(),
    user,
    application,
    scopes,
    authTime: session.loginTs ?? nowSeconds(),
    amr: session.amr ?? [],
    sid: session.jti,
  });
}
