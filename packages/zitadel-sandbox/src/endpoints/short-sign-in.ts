import { answerHtml } from '../html-answer.js';
import { loginNamePage } from '../pages/login-v2.pages.js';
import { finishLogin, leaveLogin } from './finish-login.js';
import { isMember, viewOf, type LoginVisit } from './login-visit.js';
import { goOnV1, showLoginNameV1 } from './login-v1.steps.js';

/**
 * The sandbox's own way in, for its list of people and for tests: `authRequest` and `loginName` posted to the login
 * page of either version; a `password` is looked at when there is one. No cookie is needed.
 */
export async function signInShort(visit: LoginVisit): Promise<void> {
  const { call, realm, request } = visit;
  const { loginName, password, cancel } = call.form;
  if (cancel) {
    await leaveLogin(visit, { error: 'access_denied', error_description: 'The user cancelled the login.' });
    return;
  }
  const user = realm.directory.people.find((one) => one.loginName === loginName);
  if (!user?.active || !isMember(user, request)) return refuse(visit, 'User could not be found.');
  if (password !== undefined && password !== user.password) {
    return refuse(visit, 'Username or password is wrong.');
  }
  const session = await realm.sessions.start(call.ctx, user, request.loginVersion);
  return request.loginVersion === 1 ? goOnV1(visit, session, finishLogin) : finishLogin(visit, session);
}

async function refuse(visit: LoginVisit, error: string): Promise<void> {
  const { call, id, request } = visit;
  call.ctx.status = 400;
  if (request.loginVersion === 1) await showLoginNameV1(visit, error);
  else
    answerHtml(
      call.ctx,
      loginNamePage(await viewOf(visit, error), `oidc_${id}`, call.form['loginName'] ?? ''),
    );
}
