import { issueAccessToken } from '../access-token.js';
import { issueCode } from '../auth-request.js';
import { newGrantId, type Grant } from '../grant.js';
import { issueIdToken } from '../id-token.js';
import { nowSeconds } from '../now.js';
import type { Session } from '../provider.js';
import { expiresIn } from '../tokens.js';
import type { LoginVisit } from './login-visit.js';

/** What Zitadel writes when there is no access token: the seconds until a time that is not set, without a sign. */
const nonsense = '18446744064486179580';

/** What a login entitles the application to, by the response type it asked for: a code, or tokens at once. */
export async function authorizationOf(visit: LoginVisit, session: Session): Promise<Record<string, string>> {
  const { realm, id, request } = visit;
  if (request.responseType === 'code') return { code: await issueCode(realm, id, request, session) };
  const grant = await grantOf(visit, session);
  if (request.responseType === 'id_token') {
    return { id_token: await issueIdToken(realm, grant), token_type: 'Bearer', expires_in: nonsense };
  }
  const accessToken = await issueAccessToken(realm, grant);
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: String(expiresIn(realm)),
    id_token: await issueIdToken(realm, grant, accessToken),
  };
}

async function grantOf({ realm, request }: LoginVisit, session: Session): Promise<Grant> {
  const user = realm.directory.byId(session.accountId);
  const application = realm.applications.oidcClient(request.clientId);
  if (!user || !application) throw new Error('Tokens need a user and an application');
  await realm.sessions.addClient(session.jti, application.clientId);
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
