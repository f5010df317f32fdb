import { audiencesIn } from '../audience.js';
import type { Call, Endpoint } from '../call.js';
import { profileClaims, roleClaims, scopedClaims, type Claims } from '../claims.js';
import { assertionIssuer, isAssertionOf } from '../client-assertion.js';
import { credentialsOf, isSecretOf } from '../client-authentication.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import { findAccessToken } from '../presented-token.js';
import type { AccessToken } from '../provider.js';
import type { Realm } from '../realm.js';
import { personalAccessTokenGrant } from '../service-user-tokens.js';
import { scopesStoredIn } from '../stored-scope.js';

const inactive = { active: false };

/**
 * `POST /oauth/v2/introspect`. Who calls is checked before the token (zitadel#8133). Every fault of the caller is
 * a 400; everything wrong with the token is 200 `{"active":false}`.
 */
export const introspect: Endpoint = async (call, realm) => {
  const caller = await callerOf(call, realm);
  if (caller === 'unparseable') {
    call.ctx.body = inactive;
    return;
  }
  if (!call.params['token']) throw new OidcError('invalid_request', 'token missing');
  const token = realm.faults.refusesToken(call.ctx.path)
    ? undefined
    : await findAccessToken(realm, call.params['token']);
  call.ctx.body = token && isMeantFor(caller, token) ? activeBody(caller, token, realm) : inactive;
};

async function callerOf(call: Call, realm: Realm): Promise<Application | 'unparseable'> {
  const { clientId, clientSecret, assertion } = credentialsOf(call);
  if (assertion) return assertedCaller(assertion, realm);
  if (!clientId || !clientSecret) throw new OidcError('invalid_client', 'client must be authenticated');
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
  const scopes = scopesStoredIn(token.scope);
  const isPersonal = token.gty === personalAccessTokenGrant;
  return {
    active: true,
    scope: scopes.join(' '),
    client_id: isPersonal ? '' : token.clientId,
    token_type: 'Bearer',
    exp: token.exp,
    iat: token.iat,
    auth_time: token.extra?.['authTime'],
    nbf: token.iat,
    sub: user.id,
    aud: isPersonal ? [...audiencesIn(token), caller.clientId, caller.project.id] : token.aud,
    amr: token.extra?.['amr'],
    iss: realm.issuer,
    jti: token.jti,
    username: user.loginName,
    ...profileClaims(user, scopes),
    ...scopedClaims(user, scopes),
    ...roleClaims(user, scopes, caller.project, { ownProjectOnly: true }),
  };
}
