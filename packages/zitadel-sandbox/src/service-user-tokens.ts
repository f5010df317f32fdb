import { defaultIds } from './clients.js';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { OidcError } from './oidc.error.js';
import { clientOf, saveAccessToken } from './provider.js';
import type { Realm } from './realm.js';
import { requestedScopes, scope } from './scopes.js';
import { storedScope } from './stored-scope.js';
import { newGrantId } from './grant.js';
import { issueTokens, type TokenResponse } from './tokens.js';
import type { SandboxUser } from './users.js';

const endOfTime = 253402300799;

interface ServiceUserLogin {
  amr: string[];
  idTokenSeconds: number;
}

/** How the ID token of each grant differs: the one is not bound to the instance's lifetime, the other over at once. */
export const serviceUserLogins = {
  clientSecret: { amr: ['pwd'], idTokenSeconds: 43_200 },
  assertion: { amr: [], idTokenSeconds: 0 },
} satisfies Record<string, ServiceUserLogin>;

/**
 * Tokens for a service user. Their audience holds a project only if the scope
 * `urn:zitadel:iam:org:project:id:{projectId}:aud` asks for it; without it introspection says inactive.
 */
export async function issueServiceUserTokens(
  realm: Realm,
  user: SandboxUser,
  requestedScope: string | undefined,
  login: ServiceUserLogin,
): Promise<TokenResponse> {
  if (!user.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  const scopes = requestedScopes(requestedScope, realm.applications.project);
  return issueTokens(realm, { id: newGrantId(), user, scopes, authTime: nowSeconds(), ...login });
}

export const personalAccessTokenGrant = 'pat';

/** A personal access token: no client, no end, welcome at every API of the instance. */
export async function issuePersonalAccessToken(realm: Realm, user: SandboxUser): Promise<string> {
  const token = await saveAccessToken(realm.provider, {
    client: await clientOf(realm.provider, user.id),
    jti: newId(),
    iat: nowSeconds(),
    exp: endOfTime,
    accountId: user.id,
    aud: [defaultIds.zitadelProject],
    scope: storedScope(['openid', 'profile', scope.metadata, scope.resourceOwner]),
    grantId: newGrantId(),
    gty: personalAccessTokenGrant,
  });
  return realm.seal.sealLasting(`${token.jti}:${user.id}`);
}
