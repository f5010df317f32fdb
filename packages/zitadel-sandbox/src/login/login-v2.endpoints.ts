import type { SandboxUser } from '../directory/users.js';
import { answerHtml } from '../http/answers.js';
import type { Endpoint } from '../instance/instance.js';
import type { Session } from '../storage/provider.js';
import { passwordAmr } from '../sessions/browser-sessions.js';
import { saveProgress } from './auth-request.js';
import { signInDirectly } from './direct-sign-in.js';
import { finishLogin } from './finish-login.js';
import {
  codeOf,
  hintedPerson,
  isMember,
  findLogin,
  createView,
  personWithCode,
  type LoginContext,
} from './login-context.js';
import { accountsPage, loginNamePage, oneTimeCodePage, passwordPage } from './pages/login-v2.pages.js';
import { registerPage, registerPasswordPage, verifyPage } from './pages/registration.pages.js';
import {
  accountsPath,
  loginNamePath,
  loginPath,
  oneTimeCodePath,
  passwordPath,
  registerPasswordPath,
  registerPath,
  verifyPath,
} from './paths.js';
import { activated, enteredIn, passwordProblem, problemOf, register } from './registration.js';

type Step = (login: LoginContext) => Promise<void> | void;

/** Login V2: one page per step. */
export const loginV2Endpoints: Record<string, Endpoint> = {
  [loginPath]: step((login) => (isPost(login) ? signInDirectly(login) : showFirstPage(login))),
  [loginNamePath]: step((login) => (isPost(login) ? submitLoginName(login) : showLoginName(login))),
  [passwordPath]: step((login) => (isPost(login) ? submitPassword(login) : showPassword(login))),
  [oneTimeCodePath]: step((login) => (isPost(login) ? submitOneTimeCode(login) : showOneTimeCode(login))),
  [accountsPath]: step((login) => (isPost(login) ? selectAccount(login) : showAccounts(login))),
  [registerPath]: step((login) => (isPost(login) ? submitNames(login) : showRegistration(login))),
  [registerPasswordPath]: step((login) =>
    isPost(login) ? submitNewPassword(login) : showNewPassword(login),
  ),
  [verifyPath]: step((login) => (isPost(login) ? submitMailCode(login) : showMailCode(login))),
};

/** Wraps a step. As in Zitadel, an unknown or completed authorization request gets a JSON response with status 500. */
function step(run: Step): Endpoint {
  return async (call, instance) => {
    const login = await findLogin(call, instance);
    if (login?.request.loginVersion === 2) return run(login);
    call.ctx.status = 500;
    call.ctx.body = { error: 'Internal Server Error' };
  };
}

function isPost({ call }: LoginContext): boolean {
  return call.ctx.method === 'POST';
}

/**
 * Selects the first page. As in Zitadel, neither `max_age` nor the state of the user is checked: any active session
 * completes the login (apps/login, login/route.ts).
 */
async function showFirstPage(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  const { prompts } = request;
  const sessions = await instance.sessions.list(call.ctx, 2);
  if (prompts.includes('create')) return redirectToStep(login, registerPath);
  if (sessions.length === 0) return redirectToNameOrPassword(login);
  if (prompts.includes('select_account')) return redirectToStep(login, accountsPath);
  if (prompts.includes('login')) return redirectToNameOrPassword(login);
  const session = sessions.find((one) => isHinted(one, login));
  if (session && canAnswer(session, login)) return finishLogin(login, session);
  if (!prompts.includes('none')) return redirectToStep(login, accountsPath);
  call.ctx.status = 400;
  // neither a redirect nor an OAuth error (zitadel#12165)
  call.ctx.body = { error: 'No active session found' };
}

function isHinted({ accountId }: Session, { instance, request }: LoginContext): boolean {
  const { hintedUserId, loginHint } = request;
  if (hintedUserId !== undefined) return hintedUserId === accountId;
  return loginHint === undefined || instance.directory.byId(accountId)?.loginName === loginHint;
}

function canAnswer(session: Session, { instance, request }: LoginContext): boolean {
  const user = instance.directory.byId(session.accountId);
  return user ? isMember(user, request) : request.organizationId === undefined;
}

function redirectToNameOrPassword(login: LoginContext): void {
  const { loginHint } = login.request;
  const known = loginHint !== undefined && hintedPerson(login)?.active;
  if (known) redirectToStep(login, passwordPath, { loginName: loginHint });
  else redirectToStep(login, loginNamePath, loginHint === undefined ? {} : { loginName: loginHint });
}

function redirectToStep(
  { call, id }: LoginContext,
  path: string,
  parameters: Record<string, string> = {},
): void {
  call.ctx.status = isPost({ call } as LoginContext) ? 303 : 307;
  const query = new URLSearchParams({ ...parameters, requestId: `oidc_${id}` });
  call.ctx.set('Location', `${path}?${query.toString()}`);
  call.ctx.body = '';
}

async function showLoginName(login: LoginContext, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, loginNamePage(view, `oidc_${login.id}`, login.call.params['loginName'] ?? ''));
}

function submitLoginName(login: LoginContext): Promise<void> | void {
  const { loginName = '' } = login.call.form;
  const user = login.instance.directory.findPerson(loginName);
  if (!user || !isMember(user, login.request)) return showLoginName(login, 'User not found in the system');
  if (!user.active) return showLoginName(login, 'User is not active');
  return redirectToStep(login, passwordPath, { loginName });
}

async function showPassword(login: LoginContext, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, passwordPage(view, `oidc_${login.id}`, login.call.params['loginName'] ?? ''));
}

async function submitPassword(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  const user = instance.directory.findPerson(call.form['loginName']);
  if (!user?.active || !isMember(user, request)) return showPassword(login, 'User not found in the system');
  if (call.form['password'] !== user.password) return showPassword(login, 'The password is wrong');
  if (user.secondFactor === 'totp') {
    await saveProgress(instance, login.id, { passwordOf: user.id });
    return redirectToStep(login, oneTimeCodePath, { loginName: user.loginName });
  }
  await finishLogin(login, await instance.sessions.start(call.ctx, user, 2, passwordAmr));
}

async function showOneTimeCode(login: LoginContext, error?: string): Promise<void> {
  const user = personWithCode(login);
  if (!user) return redirectToStep(login, loginNamePath);
  const view = await createView(login, error);
  const code = codeOf(user, 'authenticator app');
  answerHtml(login.call.ctx, oneTimeCodePage(view, `oidc_${login.id}`, user.loginName, code));
}

async function submitOneTimeCode(login: LoginContext): Promise<void> {
  const { call, instance } = login;
  const user = personWithCode(login);
  if (!user?.active) return redirectToStep(login, loginNamePath);
  if (call.form['code'] !== codeOf(user, 'authenticator app')) return showOneTimeCode(login, 'Invalid code');
  await finishLogin(login, await instance.sessions.start(call.ctx, user, 2));
}

async function showAccounts(login: LoginContext, error?: string): Promise<void> {
  const sessions = await login.instance.sessions.list(login.call.ctx, 2);
  const accounts = sessions.flatMap((session) => {
    const user: SandboxUser | undefined = login.instance.directory.byId(session.accountId);
    return user ? [{ session, user }] : [];
  });
  const view = await createView(login, error);
  answerHtml(login.call.ctx, accountsPage(view, `oidc_${login.id}`, accounts));
}

async function selectAccount(login: LoginContext): Promise<void> {
  const sessions = await login.instance.sessions.list(login.call.ctx, 2);
  const session = sessions.find(({ jti }) => jti === login.call.form['session']);
  if (!session) return redirectToStep(login, loginNamePath);
  if (canAnswer(session, login)) return finishLogin(login, session);
  await showAccounts(login, 'User is no member of the required organization');
}

async function showRegistration(login: LoginContext, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, registerPage(view, `oidc_${login.id}`, enteredIn(login)));
}

function submitNames(login: LoginContext): Promise<void> | void {
  const entered = enteredIn(login);
  const problem = problemOf(login, entered);
  if (problem !== undefined) return showRegistration(login, problem);
  return redirectToStep(login, registerPasswordPath, { ...entered });
}

async function showNewPassword(login: LoginContext, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, registerPasswordPage(view, `oidc_${login.id}`, enteredIn(login)));
}

async function submitNewPassword(login: LoginContext): Promise<void> {
  const { password = '', confirmPassword } = login.call.form;
  const entered = enteredIn(login);
  if (problemOf(login, entered) !== undefined) return redirectToStep(login, registerPath, { ...entered });
  const problem = passwordProblem(password, confirmPassword);
  if (problem !== undefined) return showNewPassword(login, problem);
  const { id } = await register(login, entered, password);
  redirectToStep(login, verifyPath, { userId: id });
}

async function showMailCode(login: LoginContext, error?: string): Promise<void> {
  const user = login.instance.directory.byId(login.call.params['userId']);
  if (user?.kind !== 'human') return redirectToStep(login, loginNamePath);
  const view = await createView(login, error);
  answerHtml(login.call.ctx, verifyPage(view, `oidc_${login.id}`, user, codeOf(user, 'e-mail')));
}

async function submitMailCode(login: LoginContext): Promise<void> {
  const { call, instance } = login;
  const user = activated(login, call.form['userId']);
  if (!user) return showMailCode(login, 'Code is invalid');
  await finishLogin(login, await instance.sessions.start(call.ctx, user, 2, passwordAmr));
}
