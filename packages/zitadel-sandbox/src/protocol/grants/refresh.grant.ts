import type { Application } from '../../directory/applications.js';
import { scopesFrom, scopesStoredIn } from '../../directory/scopes.js';
import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import type { Grant } from '../../sessions/grant.js';
import type { RefreshToken } from '../../storage/provider.js';
import { issueTokens, type TokenResponse } from '../../tokens/token-response.js';

/**
 * Rotates: the refresh token and the access tokens of the login die at once. A token used again later only fails; the
 * newest keeps working (zitadel#7321). A narrower `scope` is for this access token only.
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
  return instance.refreshRotation.inTurn(id, async () => {
    const refreshToken =
      (await instance.provider.RefreshToken.find<RefreshToken>(id)) ??
      instance.refreshRotation.usedJustBefore(id, arrivedAt);
    if (!refreshToken) throw new OidcError('invalid_request', 'Errors.OIDCSession.RefreshTokenInvalid');
    const response = await rotate(refreshToken, params['scope'], instance, application);
    instance.refreshRotation.remember(id, refreshToken);
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
  const scopes = scopesStoredIn(refreshToken.scope);
  const accessScopes = narrowed(scopes, scopesFrom(requestedScope));
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

// what was exchanged stays for the same audience, and of the same actor
function exchangedTerms({ exchanges }: Instance, grantId: string): Pick<Grant, 'audience' | 'act'> {
  const { audience, act } = exchanges.get(grantId) ?? {};
  return { ...(audience && { audience }), ...(act && { act }) };
}

function narrowed(granted: string[], requested: string[]): string[] {
  if (requested.length === 0) return granted;
  if (requested.some((scope) => !granted.includes(scope))) throw new OidcError('invalid_scope');
  return requested;
}
