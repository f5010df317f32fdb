import type { Application } from '../../directory/applications.js';
import { scopesFrom, decodeScopes } from '../../directory/scopes.js';
import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import type { Grant } from '../../sessions/grant.js';
import type { RefreshToken } from '../../storage/provider.js';
import { issueTokens, type TokenResponse } from '../../tokens/token-response.js';

/**
 * The refresh token grant. It rotates the refresh token and revokes the access tokens of the login. A refresh token that
 * is used again is rejected, but its successor stays valid (zitadel#7321). A narrower `scope` applies to this access
 * token only.
 */
export async function refreshGrant(
  { params }: Call,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  const arrivedAt = performance.now();
  if (!params['refresh_token']) throw new OidcError('invalid_request', 'refresh_token missing');
  const sealed = await instance.encryption.decrypt(params['refresh_token']);
  if (!sealed?.includes('-rt_')) throw new OidcError('invalid_request', 'Errors.User.RefreshToken.Invalid');
  const id = sealed.split(':')[0] ?? '';
  return instance.refreshRotation.runExclusive(id, async () => {
    const refreshToken =
      (await instance.provider.RefreshToken.find<RefreshToken>(id)) ??
      instance.refreshRotation.findReusable(id, arrivedAt);
    if (!refreshToken) throw new OidcError('invalid_request', 'Errors.OIDCSession.RefreshTokenInvalid');
    const response = await rotate(refreshToken, params['scope'], instance, application);
    instance.refreshRotation.recordUse(id, refreshToken);
    return response;
  });
}

async function rotate(
  refreshToken: RefreshToken,
  requestedScope: string | undefined,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  if (refreshToken.clientId !== application.clientId) {
    throw new OidcError(
      'invalid_client',
      'client_id does not correspond to the client_id in the refresh token',
    );
  }
  const scopes = decodeScopes(refreshToken.scope);
  const accessScopes = narrowScopes(scopes, scopesFrom(requestedScope));
  const user = instance.directory.byId(refreshToken.accountId);
  if (!user?.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  const id = refreshToken.grantId ?? refreshToken.jti;
  await instance.provider.RefreshToken.revokeByGrantId(id);
  await instance.provider.AccessToken.revokeByGrantId(id);
  return issueTokens(
    instance,
    {
      id,
      user,
      application,
      scopes,
      ...(refreshToken.authTime !== undefined && { authTime: refreshToken.authTime }),
      amr: refreshToken.amr ?? [],
      ...(refreshToken.nonce !== undefined && { nonce: refreshToken.nonce }),
      ...(refreshToken.sid !== undefined && { sid: refreshToken.sid }),
      ...exchangedTerms(instance, id),
    },
    { firstIssuedAt: refreshToken.iiat, accessScopes },
  );
}

// after a token exchange, a refresh keeps audience and actor
function exchangedTerms({ exchanges }: Instance, grantId: string): Pick<Grant, 'audience' | 'act'> {
  const { audience, act } = exchanges.get(grantId) ?? {};
  return { ...(audience && { audience }), ...(act && { act }) };
}

function narrowScopes(granted: string[], requested: string[]): string[] {
  if (requested.length === 0) return granted;
  if (requested.some((scope) => !granted.includes(scope))) throw new OidcError('invalid_scope');
  return requested;
}
