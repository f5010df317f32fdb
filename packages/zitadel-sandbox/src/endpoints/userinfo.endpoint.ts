import type { Call, Endpoint } from '../call.js';
import { profileClaims, roleClaims, scopedClaims } from '../claims.js';
import { OidcError } from '../oidc.error.js';
import { findAccessToken } from '../presented-token.js';
import { scopesStoredIn } from '../stored-scope.js';

const bearer = 'Bearer ';

/** `GET|POST /oidc/v1/userinfo`. */
export const userinfo: Endpoint = async (call, realm) => {
  const presented = presentedToken(call);
  if (!presented) throw new OidcError('invalid_request', 'access token missing', 401);
  const token = realm.faults.refusesToken(call.ctx.path)
    ? undefined
    : await findAccessToken(realm, presented);
  const user = realm.directory.byId(token?.accountId);
  if (!token || !user) throw new OidcError('access_denied', 'access token invalid', 401);
  const scopes = scopesStoredIn(token.scope);
  const project = realm.applications.byClientId(token.clientId)?.project;
  call.ctx.body = {
    sub: user.id,
    ...profileClaims(user, scopes),
    ...scopedClaims(user, scopes),
    ...roleClaims(user, scopes, project),
  };
};

function presentedToken({ ctx, params }: Call): string | undefined {
  const header = ctx.get('authorization');
  return header.startsWith(bearer) ? header.slice(bearer.length).trim() : params['access_token'];
}
