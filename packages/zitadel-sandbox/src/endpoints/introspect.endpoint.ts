import { audiencesIn } from '../audience.js';
import type { Endpoint } from '../call.js';
import { profileClaims, roleClaims, scopedClaims, type Claims } from '../claims.js';
import { assertionIssuer, isAssertionOf } from '../client-assertion.js';
import { isSecretOf, namedCredentialsOf, type ClientCredentials } from '../client-authentication.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import { findAccessToken } from '../presented-token.js';
import type { AccessToken } from '../provider.js';
import type { Realm } from '../realm.js';
import { roleScopesOf, scope } from '../scopes.js';
import { personalAccessTokenGrant } from '../service-user-tokens.js';
import { scopesStoredIn } from '../stored-scope.js';

const inactive = { active: false };

/**
 * `POST /oauth/v2/introspect`. Who calls is checked before the token (zitadel#8133). Every fault of the caller is
 * a 400; everything wrong with the token is 200 `{"active":false}`.
 */
export const introspect: Endpoint = async (call, realm) => {
  const credentials = namedCredentialsOf(call);
  const { assertion, clientSecret } = credentials;
  if (!assertion && !clientSecret) throw new OidcError('invalid_client', 'client must be authenticated');
  if (!call.params['token']) throw new OidcError('invalid_request', 'token missing');
  const caller = await callerOf(credentials, realm);
  if (caller === 'unparseable') {
    call.ctx.body = inactive;
    return;
  }
  const token = realm.faults.refusesToken(call.ctx.path)
    ? undefined
    : await findAccessToken(realm, call.params['token']);
  call.ctx.body = token && isMeantFor(caller, token) ? activeBody(caller, token, realm) : inactive;
};

async function callerOf(
  { clientId, clientSecret = '', assertion }: ClientCredentials,
  realm: Realm,
): Promise<Application | 'unparseable'> {
  if (assertion) return assertedCaller(assertion, realm);
  const application = realm.applications.byClientId(clientId);
  if (!application || !isSecretOf(application, clientSecret)) throw new OidcError('unauthorized_client');
  return application;
}

async function assertedCaller(assertion: string, realm: Realm): Promise<Application | 'unparseable'> {
  const issuer = assertionIssuer(assertion);
  if (issuer === undefined) return 'unparseable';
  const application = realm.applications.byClientId(issuer);
  if (!application?.key || !(await isAssertionOf(application.key, assertion, realm.issuer))) {
    throw new OidcError('unauthorized_client');
  }
  return application;
}

function isMeantFor({ clientId, project }: Application, token: AccessToken): boolean {
  return (
    token.gty === personalAccessTokenGrant ||
    [clientId, project.id].some((one) => audiencesIn(token).includes(one))
  );
}

function activeBody(caller: Application, token: AccessToken, realm: Realm): Claims {
  const user = realm.directory.byId(token.accountId);
  if (!user) return inactive;
  const isPersonal = token.gty === personalAccessTokenGrant;
  const scopes = [...scopesStoredIn(token.scope), ...(isPersonal ? roleScopesOf(caller.project) : [])];
  return {
    active: true,
    scope: scopes.join(' '),
    ...(!isPersonal && { client_id: shownClientId(token, realm) }),
    token_type: 'Bearer',
    exp: token.exp,
    iat: token.iat,
    auth_time: token.extra?.['authTime'],
    nbf: token.iat,
    sub: user.id,
    aud: isPersonal ? [caller.clientId, caller.project.id] : token.aud,
    amr: token.extra?.['amr'],
    act: token.extra?.['act'],
    iss: realm.issuer,
    jti: token.jti,
    ...(scopes.includes(scope.profile) && { username: user.loginName }),
    ...profileClaims(user, scopes),
    ...scopedClaims(user, scopes),
    ...roleClaims(user, scopes, caller.project, { ownProjectOnly: true }),
  };
}

// the client of a service user is the user, by its login name
function shownClientId({ clientId }: AccessToken, realm: Realm): string | undefined {
  return realm.directory.byId(clientId)?.loginName ?? clientId;
}
