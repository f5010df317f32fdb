import { newGrantId, type Grant } from '../sessions/grant.js';
import { nowSeconds } from '../storage/now.js';
import type { Session } from '../storage/provider.js';
import { issueAccessToken } from '../tokens/access-token.js';
import { issueIdToken } from '../tokens/id-token.js';
import { expiresIn } from '../tokens/token-response.js';
import { closeAuthRequest, issueCode } from './auth-request.js';
import { answerWith } from './authorization-response.js';
import type { LoginContext } from './login-context.js';

/** Brings what the session entitles to to the application. The request can be answered once. */
export async function finishLogin(login: LoginContext, session: Session): Promise<void> {
  await leaveLogin(login, await authorizationOf(login, session));
}

/** Brings the outcome to the application. Login V2 sends a `state` even if there was none. */
export async function leaveLogin(
  { call, instance, id, request }: LoginContext,
  outcome: Record<string, string>,
): Promise<void> {
  await closeAuthRequest(instance, id);
  const state = request.loginVersion === 2 ? { state: '' } : {};
  answerWith(call.ctx, { ...state, ...request }, outcome);
}

/** What Zitadel writes when there is no access token: the seconds until a time that is not set, without a sign. */
const nonsense = '18446744064486179580';

/** What a login entitles the application to, by the response type it asked for: a code, or tokens at once. */
export async function authorizationOf(
  login: LoginContext,
  session: Session,
): Promise<Record<string, string>> {
  const { instance, id, request } = login;
  if (request.responseType === 'code') return { code: await issueCode(instance, id, request, session) };
  const grant = await grantOf(login, session);
  if (request.responseType === 'id_token') {
    return { id_token: await issueIdToken(instance, grant), token_type: 'Bearer', expires_in: nonsense };
  }
  const accessToken = await issueAccessToken(instance, grant);
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: String(expiresIn(instance)),
    id_token: await issueIdToken(instance, grant, accessToken),
  };
}

async function grantOf({ instance, request }: LoginContext, session: Session): Promise<Grant> {
  const user = instance.directory.byId(session.accountId);
  const application = instance.applications.oidcClient(request.clientId);
  if (!user || !application) throw new Error('Tokens need a user and an application');
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
