import { newGrantId, type Grant } from '../sessions/grant.js';
import { nowSeconds } from '../storage/now.js';
import type { Session } from '../storage/provider.js';
import { issueAccessToken } from '../tokens/access-token.js';
import { issueIdToken } from '../tokens/id-token.js';
import { expiresIn } from '../tokens/token-response.js';
import { deleteAuthRequest, issueCode, type AuthRequest } from './auth-request.js';
import { authorizationResponseUrl, sendAuthorizationResponse } from './authorization-response.js';
import type { LoginContext } from './login-context.js';

/** An authorization request that is answered by a login page or through the session API. */
export type OpenLogin = Omit<LoginContext, 'call'>;

/** Completes the authorization request with a code or tokens. */
export async function finishLogin(login: LoginContext, session: Session): Promise<void> {
  await answerClient(login, await createResponseParameters(login, session));
}

/** Sends the authorization response. */
export async function answerClient(login: LoginContext, outcome: Record<string, string>): Promise<void> {
  sendAuthorizationResponse(login.call.ctx, await answeredRequest(login), outcome);
}

/** The address of the application with the authorization response: a code or tokens for a session, or an error. */
export async function callbackUrl(
  login: OpenLogin,
  outcome: Session | Record<string, string>,
): Promise<string> {
  const parameters = 'jti' in outcome ? await createResponseParameters(login, outcome as Session) : outcome;
  return authorizationResponseUrl(await answeredRequest(login), parameters);
}

/** Deletes the request, which can be answered once. Login V2 sends an empty `state` when the request had none. */
async function answeredRequest({ instance, id, request }: OpenLogin): Promise<AuthRequest> {
  await deleteAuthRequest(instance, id);
  return { ...(request.loginVersion === 2 && { state: '' }), ...request };
}

/** Zitadel's `expires_in` without an access token: the time until Go's zero time, as an unsigned integer. */
const expiresInWithoutAccessToken = '18446744064486179580';

/** Issues what the response type requests: a code, or tokens (implicit flow). */
async function createResponseParameters(login: OpenLogin, session: Session): Promise<Record<string, string>> {
  const { instance, id, request } = login;
  if (request.responseType === 'code') return { code: await issueCode(instance, id, request, session) };
  const grant = await grantOf(login, session);
  if (request.responseType === 'id_token') {
    return {
      id_token: await issueIdToken(instance, grant),
      token_type: 'Bearer',
      expires_in: expiresInWithoutAccessToken,
    };
  }
  const accessToken = await issueAccessToken(instance, grant);
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: String(expiresIn(instance)),
    id_token: await issueIdToken(instance, grant, accessToken),
  };
}

async function grantOf({ instance, request }: OpenLogin, session: Session): Promise<Grant> {
  const user = instance.directory.byId(session.accountId);
  const application = instance.applications.oidcClient(request.clientId);
  if (!user || !application) throw new Error('The user or the application of the session does not exist');
  await instance.sessions.addClient(session.jti, application.clientId);
  return {
    id: newGrantId(),
    user,
    application,
    scopes: request.scopes,
    authTime: session.loginTs ?? nowSeconds(),
    amr: session.amr ?? [],
    sid: session.jti,
    ...(request.nonce !== undefined && { nonce: request.nonce }),
  };
}
