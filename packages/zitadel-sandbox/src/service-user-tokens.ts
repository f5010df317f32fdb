import { defaultIds } from './clients.js';
import { nowSeconds } from './now.js';
import { OidcError } from './oidc.error.js';
import { clientOf, saveAccessToken } from './provider.js';
import type { Realm } from './realm.js';
import { knownScopes, scope, scopesFrom } from './scopes.js';
import { storedScope } from './stored-scope.js';
import { newGrantId } from './grant.js';
import { issueTokens, type TokenResponse } from './tokens.js';
import type { SandboxUser } from './users.js';

const endOfTime = 253402300799;

/**
 * Tokens for a service user. Their audience holds a project only if the scope
 * `urn:zitadel:iam:org:project:id:{projectId}:aud` asks for it; without it introspection says inactive.
 */
export async function issueServiceUserTokens(
  realm: Realm,
  user: SandboxUser,
  requestedScope: string | undefined,
): Promise<TokenResponse> {
  if (!user.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  const scopes = knownScopes(scopesFrom(requestedScope), realm.applications.project);
  return issueTokens(realm, { id: newGrantId(), user, scopes, authTime: nowSeconds(), amr: [] });
}

export const personalAccessTokenGrant = 'pat';

/** A personal access token: no client, no end, welcome at every API of the instance. */
export async function issuePersonalAccessToken(realm: Realm, user: SandboxUser): Promise<string> {
  const grantId = newGrantId();
  const token = await saveAccessToken(realm.provider, {
    client: await clientOf(realm.provider, user.id),
    jti: `${grantId}-at_${user.id}`,
    exp: endOfTime,
    accountId: user.id,
    aud: [defaultIds.zitadelProject],
    scope: storedScope(['openid', 'profile', 'email', scope.metadata, scope.resourceOwner]),
    grantId,
    gty: personalAccessTokenGrant,
  });
  return realm.seal.seal(`${token.jti}:${user.id}`);
}
