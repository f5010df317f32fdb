import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import { unverifiedIssuer, isAssertionOfOne } from '../../keys/client-assertion.js';
import { validKeysOf } from '../../keys/key-file.js';
import { issueServiceUserTokens, serviceUserLogins } from '../../tokens/service-user-tokens.js';
import type { TokenResponse } from '../../tokens/token-response.js';
import { isSecretOf, requireCredentials } from '../client-authentication.js';

/** The client credentials grant of a service user, whose client id is its login name. */
export async function clientCredentialsGrant(call: Call, instance: Instance): Promise<TokenResponse> {
  const { clientId, clientSecret } = requireCredentials(call);
  const user = instance.directory.byLoginName(clientId);
  if (!user) throw new OidcError('invalid_client', 'client not found');
  if (!user.clientSecret) throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.NotExisting');
  if (!isSecretOf({ clientSecret: user.clientSecret }, clientSecret ?? '')) {
    throw new OidcError('invalid_request', 'Errors.User.Machine.Secret.Invalid');
  }
  return issueServiceUserTokens(instance, user, call.params['scope'], serviceUserLogins.clientSecret);
}

/** The JWT profile grant (RFC 7523 section 2.1) of a service user, with the key of its key JSON. */
export async function jwtProfileGrant({ params }: Call, instance: Instance): Promise<TokenResponse> {
  const assertion = params['assertion'];
  if (!assertion) throw new OidcError('invalid_request', 'assertion missing');
  const user = instance.directory.byId(unverifiedIssuer(assertion));
  if (!user || !(await isAssertionOfOne(validKeysOf(user), assertion, instance.issuer))) {
    throw new OidcError('invalid_grant', 'invalid assertion');
  }
  return issueServiceUserTokens(instance, user, params['scope'], serviceUserLogins.assertion);
}
