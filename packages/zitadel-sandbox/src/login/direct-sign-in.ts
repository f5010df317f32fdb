import { answerHtml, redirect } from '../http/answers.js';
import { finishLogin, answerClient } from './finish-login.js';
import { isMember, createView, type LoginContext } from './login-context.js';
import { continueLoginV1, saveSessionAndRedirect, showLoginNameV1 } from './login-v1.steps.js';
import { passwordAmr } from '../sessions/browser-sessions.js';
import { loginNamePage } from './pages/login-v2.pages.js';
import { deviceV1Path } from './paths.js';

/**
 * Signs in with one request, for the list of users and for tests: `authRequest` and `loginName` posted to the login
 * page of either version. A `password` is checked if present, and then takes the place of a passkey; one-time codes are
 * not asked for. No cookie is needed. Zitadel has no such request.
 */
export async function signInDirectly(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  const { loginName, password, cancel } = call.form;
  if (cancel && request.userCode !== undefined) return redirect(call.ctx, deviceV1Path);
  if (cancel) {
    await answerClient(login, { error: 'access_denied', error_description: 'The user cancelled the login.' });
    return;
  }
  const user = instance.directory.people.find((one) => one.loginName === loginName);
  if (!user?.active || !isMember(user, request)) return showError(login, 'User could not be found.');
  if (password !== undefined && password !== user.password) {
    return showError(login, 'Username or password is wrong.');
  }
  const isWithoutPasskey = user.secondFactor === 'passkey' && password !== undefined;
  const amr = isWithoutPasskey ? passwordAmr : undefined;
  const session = await instance.sessions.start(call.ctx, user, request.loginVersion, amr);
  return request.loginVersion === 1
    ? continueLoginV1(login, session, request.userCode === undefined ? finishLogin : saveSessionAndRedirect)
    : finishLogin(login, session);
}

async function showError(login: LoginContext, error: string): Promise<void> {
  const { call, id, request } = login;
  call.ctx.status = 400;
  if (request.loginVersion === 1) await showLoginNameV1(login, error);
  else
    answerHtml(
      call.ctx,
      loginNamePage(await createView(login, error), `oidc_${id}`, call.form['loginName'] ?? ''),
    );
}
