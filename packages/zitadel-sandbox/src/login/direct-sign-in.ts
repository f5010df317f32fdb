import { answerHtml } from '../http/answers.js';
import { finishLogin, leaveLogin } from './finish-login.js';
import { isMember, viewOf, type LoginContext } from './login-context.js';
import { goOnV1, showLoginNameV1 } from './login-v1.steps.js';
import { loginNamePage } from './pages/login-v2.pages.js';

/**
 * The sandbox's own way in, for its list of people and for tests: `authRequest` and `loginName` posted to the login
 * page of either version; a `password` is looked at when there is one. No cookie is needed.
 */
export async function signInDirectly(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  const { loginName, password, cancel } = call.form;
  if (cancel) {
    await leaveLogin(login, { error: 'access_denied', error_description: 'The user cancelled the login.' });
    return;
  }
  const user = instance.directory.people.find((one) => one.loginName === loginName);
  if (!user?.active || !isMember(user, request)) return refuse(login, 'User could not be found.');
  if (password !== undefined && password !== user.password) {
    return refuse(login, 'Username or password is wrong.');
  }
  const session = await instance.sessions.start(call.ctx, user, request.loginVersion);
  return request.loginVersion === 1 ? goOnV1(login, session, finishLogin) : finishLogin(login, session);
}

async function refuse(login: LoginContext, error: string): Promise<void> {
  const { call, id, request } = login;
  call.ctx.status = 400;
  if (request.loginVersion === 1) await showLoginNameV1(login, error);
  else
    answerHtml(
      call.ctx,
      loginNamePage(await viewOf(login, error), `oidc_${id}`, call.form['loginName'] ?? ''),
    );
}
