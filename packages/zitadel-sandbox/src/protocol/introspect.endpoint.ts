import type { Application } from '../directory/applications.js';
import { profileClaims, roleClaims, scopedClaims, type Claims } from '../directory/claims.js';
import { roleScopesOf, scope, decodeScopes } from '../directory/scopes.js';
import { OidcError } from '../http/oidc.error.js';
import { personalAccessTokenGrant, type Endpoint, type Instance } from '../instance/instance.js';
import { audiencesIn, unverifiedIssuer, isAssertionOfOne } from '../keys/client-assertion.js';
import type { AccessToken } from '../storage/provider.js';
import { validKeysOf } from '../keys/key-file.js';
import { findAccessToken } from '../tokens/presented-token.js';
import { isSecretOf, requireCredentials, type ClientCredentials } from './client-authentication.js';

const inactive = { active: false };

/**
 * `POST /oauth/v2/introspect` (RFC 7662). The client is authenticated before the token is checked (zitadel#8133). Errors
 * of the client have status 400; an invalid token gets status 200 with `{"active":false}`.
 */
export const introspect: Endpoint = async (call, instance) => {
  const credentials = requireCredentials(call);
  const { assertion, clientSecret } = credentials;
  if (!assertion && !clientSecret) throw new OidcError('invalid_client', 'client must be authenticated');
  if (!call.params['token']) throw new OidcError('invalid_request', 'token missing');
  const caller = await authenticateCaller(credentials, instance);
  if (caller === 'unparseable') {
    call.ctx.body = inactive;
    return;
  }
  const token = instance.faults.takeTokenRefusal(call.ctx.path)
    ? undefined
    : await findAccessToken(instance, call.params['token']);
  call.ctx.body = token && isInAudience(caller, token) ? activeBody(caller, token, instance) : inactive;
};

async function authenticateCaller(
  { clientId, clientSecret = '', assertion }: ClientCredentials,
  instance: Instance,
): Promise<Application | 'unparseable'> {
  if (assertion) return authenticateAssertion(assertion, instance);
  const application = instance.applications.byClientId(clientId);
  if (!application || !isSecretOf(application, clientSecret)) throw new OidcError('unauthorized_client');
  return application;
}

async function authenticateAssertion(
  assertion: string,
  instance: Instance,
): Promise<Application | 'unparseable'> {
  const issuer = unverifiedIssuer(assertion);
  if (issuer === undefined) return 'unparseable';
  const application = instance.applications.byClientId(issuer);
  // an application with the method BASIC may still have keys
  const keys = application?.authMethod === 'private_key_jwt' ? validKeysOf(application) : [];
  if (!application || !(await isAssertionOfOne(keys, assertion, instance.issuer)))
    throw new OidcError('unauthorized_client');
  return application;
}

function isInAudience({ clientId, project }: Application, token: AccessToken): boolean {
  return (
    token.gty === personalAccessTokenGrant ||
    [clientId, project.id].some((one) => audiencesIn(token).includes(one))
  );
}

function activeBody(caller: Application, token: AccessToken, instance: Instance): Claims {
  const user = instance.directory.byId(token.accountId);
  if (!user) return inactive;
  const isPersonal = token.gty === personalAccessTokenGrant;
  const scopes = [...decodeScopes(token.scope), ...(isPersonal ? roleScopesOf(caller.project) : [])];
  return {
    active: true,
    scope: scopes.join(' '),
    ...(!isPersonal && { client_id: clientIdClaim(token, instance) }),
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

// the `client_id` of a service user is its login name
function clientIdClaim({ clientId }: AccessToken, instance: Instance): string | undefined {
  return instance.directory.byId(clientId)?.loginName ?? clientId;
}
