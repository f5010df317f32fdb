import { profileClaims, roleClaims, scopedClaims } from '../directory/claims.js';
import { decodeScopes } from '../directory/scopes.js';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import type { Endpoint } from '../instance/instance.js';
import { findAccessToken } from '../tokens/presented-token.js';

const bearer = 'Bearer ';

/** `GET|POST /oidc/v1/userinfo`. */
export const userinfo: Endpoint = async (call, instance) => {
  const presented = presentedToken(call);
  if (!presented) throw new OidcError('invalid_request', 'access token missing', 401);
  const token = instance.faults.takeTokenRefusal(call.ctx.path)
    ? undefined
    : await findAccessToken(instance, presented);
  const user = instance.directory.byId(token?.accountId);
  if (!token || !user) throw new OidcError('access_denied', 'access token invalid', 401);
  const scopes = decodeScopes(token.scope);
  const project = instance.applications.byClientId(token.clientId)?.project;
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
