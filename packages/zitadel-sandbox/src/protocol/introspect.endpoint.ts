import type { Application } from '../directory/applications.js';
import { profileClaims, roleClaims, scopedClaims, type Claims } from '../directory/claims.js';
import { roleScopesOf, scope, scopesStoredIn } from '../directory/scopes.js';
import { OidcError } from '../http/oidc.error.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import { audiencesIn, assertionIssuer, isAssertionOf } from '../keys/client-assertion.js';
import type { AccessToken } from '../storage/provider.js';
import { findAccessToken } from '../tokens/presented-token.js';
import { personalAccessTokenGrant } from '../tokens/service-user-tokens.js';
import { isSecretOf, namedCredentialsOf, type ClientCredentials } from './client-authentication.js';

const inactive = { active: false };

/**
 * `POST /oauth/v2/introspect`. Who calls is checked before the token (zitadel#8133). Every fault of the caller is
 * a 400; everything wrong with the token is 200 `{"active":false}`.
 */
export const introspect: Endpoint = async (call, instance) => {
  const credentials = namedCredentialsOf(call);
  const { assertion, clientSecret } = credentials;
  if (!assertion && !clientSecret) throw new OidcError('invalid_client', 'client must be authenticated');
  if (!call.params['token']) throw new OidcError('invalid_request', 'token missing');
  const caller = await callerOf(credentials, instance);
  if (caller === 'unparseable') {
    call.ctx.body = inactive;
    return;
  }
  const token = instance.faults.refusesToken(call.ctx.path)
    ? undefined
    : await findAccessToken(instance, call.params['token']);
  call.ctx.body = token && isMeantFor(caller, token) ? activeBody(caller, token, instance) : inactive;
};

async function callerOf(
  { clientId, clientSecret = '', assertion }: ClientCredentials,
  instance: Instance,
): Promise<Application | 'unparseable'> {
  if (assertion) return assertedCaller(assertion, instance);
  const application = instance.applications.byClientId(clientId);
  if (!application || !isSecretOf(application, clientSecret)) throw new OidcError('unauthorized_client');
  return application;
}

async function assertedCaller(assertion: string, instance: Instance): Promise<Application | 'unparseable'> {
  const issuer = assertionIssuer(assertion);
  if (issuer === undefined) return 'unparseable';
  const application = instance.applications.byClientId(issuer);
  if (!application?.key || !(await isAssertionOf(application.key, assertion, instance.issuer))) {
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

function activeBody(caller: Application, token: AccessToken, instance: Instance): Claims {
  const user = instance.directory.byId(token.accountId);
  if (!user) return inactive;
  const isPersonal = token.gty === personalAccessTokenGrant;
  const scopes = [...scopesStoredIn(token.scope), ...(isPersonal ? roleScopesOf(caller.project) : [])];
  return {
    active: true,
    scope: scopes.join(' '),
    ...(!isPersonal && { client_id: shownClientId(token, instance) }),
    token_type: 'Bearer',
    exp: token.exp,
    iat: token.iat,
    auth_time: token.extra?.['authTime'],
    nbf: token.iat,
    sub: user.id,
    aud: isPersonal ? [caller.clientId, caller.project.id] : token.aud,
    amr: token.extra?.['amr'],
    act: token.extra?.['act'],
    iss: instance.issuer,
    jti: token.jti,
    ...(scopes.includes(scope.profile) && { username: user.loginName }),
    ...profileClaims(user, scopes),
    ...scopedClaims(user, scopes),
    ...roleClaims(user, scopes, caller.project, { ownProjectOnly: true }),
  };
}

// the client of a service user is the user, by its login name
function shownClientId({ clientId }: AccessToken, instance: Instance): string | undefined {
  return instance.directory.byId(clientId)?.loginName ?? clientId;
}
