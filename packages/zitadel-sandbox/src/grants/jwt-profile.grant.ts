import type { Call } from '../call.js';
import { assertionIssuer, isAssertionOf } from '../client-assertion.js';
import { OidcError } from '../oidc.error.js';
import type { Realm } from '../realm.js';
import { issueServiceUserTokens, serviceUserLogins } from '../service-user-tokens.js';
import type { TokenResponse } from '../tokens.js';

/** A service user with an assertion signed by the key of its key JSON (RFC 7523). */
export async function jwtProfileGrant({ params }: Call, realm: Realm): Promise<TokenResponse> {
  const assertion = params['assertion'];
  if (!assertion) throw new OidcError('invalid_request', 'assertion missing');
  const user = realm.directory.byId(assertionIssuer(assertion));
  if (!user?.key || !(await isAssertionOf(user.key, assertion, realm.issuer))) {
    throw new OidcError('invalid_grant', 'invalid assertion');
  }
  return issueServiceUserTokens(realm, user, params['scope'], serviceUserLogins.assertion);
}
