import { defaultIds } from '../directory/applications.js';
import { requestedScopes, scope, encodeScopes } from '../directory/scopes.js';
import type { SandboxUser } from '../directory/users.js';
import { OidcError } from '../http/oidc.error.js';
import { personalAccessTokenGrant, type Instance } from '../instance/instance.js';
import { newGrantId } from '../sessions/grant.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { findClient, saveAccessToken } from '../storage/provider.js';
import { issueTokens, type TokenResponse } from './token-response.js';

const endOfTime = 253402300799;

interface ServiceUserLogin {
  amr: string[];
  idTokenSeconds: number;
}

/** ID tokens of the client credentials grant live 12 h whatever the instance's lifetime, those of the JWT profile 0 s. */
export const serviceUserLogins = {
  clientSecret: { amr: ['pwd'], idTokenSeconds: 43_200 },
  assertion: { amr: [], idTokenSeconds: 0 },
} satisfies Record<string, ServiceUserLogin>;

/**
 * Issues tokens for a service user. Their audience contains a project only if the scope
 * `urn:zitadel:iam:org:project:id:{projectId}:aud` requests it; without it they are inactive at introspection.
 */
export async function issueServiceUserTokens(
  instance: Instance,
  user: SandboxUser,
  requestedScope: string | undefined,
  login: ServiceUserLogin,
): Promise<TokenResponse> {
  if (!user.active) throw new OidcError('invalid_request', 'Errors.User.NotActive');
  const { project, projects } = instance.applications;
  const roles = projects.flatMap((one) => one.roles);
  const scopes = requestedScopes(requestedScope, { ...project, roles });
  return issueTokens(instance, { id: newGrantId(), user, scopes, authTime: nowSeconds(), ...login });
}

/** Issues a personal access token, which has no client and is active for every API of the instance. */
export async function issuePersonalAccessToken(
  instance: Instance,
  user: SandboxUser,
  { id = newId(), expiresAt = endOfTime } = {},
): Promise<string> {
  const token = await saveAccessToken(instance.provider, {
    client: await findClient(instance.provider, user.id),
    jti: id,
    iat: nowSeconds(),
    exp: expiresAt,
    accountId: user.id,
    aud: [defaultIds.zitadelProject],
    scope: encodeScopes(['openid', 'profile', scope.metadata, scope.resourceOwner]),
    grantId: newGrantId(),
    gty: personalAccessTokenGrant,
  });
  return instance.encryption.encryptLongLived(`${token.jti}:${user.id}`);
}
