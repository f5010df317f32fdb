import type { Call } from '../call.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import type { RefreshToken } from '../provider.js';
import type { Realm } from '../realm.js';
import { scopesFrom } from '../scopes.js';
import { issueTokens, type TokenResponse } from '../tokens.js';

/**
 * Rotates: the refresh token and the access tokens of the login die at once. A token used again only fails; the
 * newest keeps working (zitadel#7321). A narrower `scope` is for this access token only.
 */
export async function refreshGrant(
  { params }: Call,
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  if (!params['refresh_token']) throw new OidcError('invalid_request', 'refresh_token missing');
  const refreshToken = await livingToken(realm, params['refresh_token']);
  if (refreshToken.clientId !== application.clientId) {
    throw new OidcError(
      'invalid_client',
      'client_id does not correspond to the client_id in the refresh token',
    );
  }
  const scopes = scopesFrom(refreshToken.scope);
  const accessScopes = narrowed(scopes, scopesFrom(params['scope']));
  const user = realm.directory.byId(refreshToken.accountId);
  if (!user?.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  const id = refreshToken.grantId ?? refreshToken.jti;
  await refreshToken.destroy();
  await realm.provider.AccessToken.revokeByGrantId(id);
  return issueTokens(
    realm,
    {
      id,
      user,
      application,
      scopes,
      ...(refreshToken.authTime !== undefined && { authTime: refreshToken.authTime }),
      amr: refreshToken.amr ?? [],
      ...(refreshToken.nonce !== undefined && { nonce: refreshToken.nonce }),
      ...(refreshToken.sid !== undefined && { sid: refreshToken.sid }),
    },
    { firstIssuedAt: refreshToken.iiat, accessScopes },
  );
}

async function livingToken(realm: Realm, presented: string): Promise<RefreshToken> {
  const sealed = await realm.seal.open(presented);
  if (!sealed?.includes('-rt_')) throw new OidcError('invalid_request', 'Errors.User.RefreshToken.Invalid');
  const id = sealed.split(':')[0] ?? '';
  const refreshToken = await realm.provider.RefreshToken.find<RefreshToken>(id);
  if (!refreshToken) throw new OidcError('invalid_request', 'Errors.OIDCSession.RefreshTokenInvalid');
  return refreshToken;
}

function narrowed(granted: string[], requested: string[]): string[] {
  if (requested.length === 0) return granted;
  if (requested.some((scope) => !granted.includes(scope))) throw new OidcError('invalid_scope');
  return requested;
}
