import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import { assertionIssuer, isAssertionOf } from '../../keys/client-assertion.js';
import { issueServiceUserTokens, serviceUserLogins } from '../../tokens/service-user-tokens.js';
import type { TokenResponse } from '../../tokens/token-response.js';
import { isSecretOf, namedCredentialsOf } from '../client-authentication.js';

/** A service user with its login name as client id and its client secret. */
export async function clientCredentialsGrant(call: Call, instance: Instance): Promise<TokenResponse> {
  const { clientId, clientSecret } = namedCredentialsOf(call);
  const user = instance.directory.byLoginName(clientId);
  if (!user) throw new OidcError('invalid_client', 'client not found');
  if (!user.clientSecret) throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.NotExisting');
  if (!isSecretOf({ clientSecret: user.clientSecret }, clientSecret ?? '')) {
    throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.Invalid');
  }
  return issueServiceUserTokens(instance, user, call.params['scope'], serviceUserLogins.clientSecret);
}

/** A service user with an assertion signed by the key of its key JSON (RFC 7523). */
export async function jwtProfileGrant({ params }: Call, instance: Instance): Promise<TokenResponse> {
  const assertion = params['assertion'];
  if (!assertion) throw new OidcError('invalid_request', 'assertion missing');
  const user = instance.directory.byId(assertionIssuer(assertion));
  if (!user?.key || !(await isAssertionOf(user.key, assertion, instance.issuer))) {
    throw new OidcError('invalid_grant', 'invalid assertion');
  }
  return issueServiceUserTokens(instance, user, params['scope'], serviceUserLogins.assertion);
}
