import { closeAuthRequest } from '../auth-request.js';
import { answerWith } from '../authorization-response.js';
import { authorizationOf } from './login-authorization.js';
import type { Session } from '../provider.js';
import type { LoginVisit } from './login-visit.js';

/** Brings what the session entitles to to the application. The request can be answered once. */
export async function finishLogin(visit: LoginVisit, session: Session): Promise<void> {
  await leaveLogin(visit, await authorizationOf(visit, session));
}

/** Brings the outcome to the application. Login V2 sends a `state` even if there was none. */
export async function leaveLogin(
  { call, realm, id, request }: LoginVisit,
  outcome: Record<string, string>,
): Promise<void> {
  await closeAuthRequest(realm, id);
  const state = request.loginVersion === 2 ? { state: '' } : {};
  answerWith(call.ctx, { ...state, ...request }, outcome);
}
