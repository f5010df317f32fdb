import type { Call } from '../call.js';
import { isSecretOf, namedCredentialsOf } from '../client-authentication.js';
import { OidcError } from '../oidc.error.js';
import type { Realm } from '../realm.js';
import { issueServiceUserTokens, serviceUserLogins } from '../service-user-tokens.js';
import type { TokenResponse } from '../tokens.js';

/** A service user with its login name as client id and its client secret. */
export async function clientCredentialsGrant(call: Call, realm: Realm): Promise<TokenResponse> {
  const { clientId, clientSecret } = namedCredentialsOf(call);
  const user = realm.directory.byLoginName(clientId);
  if (!user) throw new OidcError('invalid_client', 'client not found');
  if (!user.clientSecret) throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.NotExisting');
  if (!isSecretOf({ clientSecret: user.clientSecret }, clientSecret ?? '')) {
    throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.Invalid');
  }
  return issueServiceUserTokens(realm, user, call.params['scope'], serviceUserLogins.clientSecret);
}
