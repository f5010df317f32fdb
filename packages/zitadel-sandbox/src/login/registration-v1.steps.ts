import type { SandboxUser } from '../directory/users.js';
import { answerHtml, redirect } from '../http/answers.js';
import { passwordAmr } from '../sessions/browser-sessions.js';
import { saveProgress } from './auth-request.js';
import { codeOf, createView, isMember, type LoginContext } from './login-context.js';
import { hiddenFields, showLoginNameV1 } from './login-v1.steps.js';
import { messagePage } from './pages/layout.js';
import {
  activatedV1Page,
  activationV1Page,
  invitationV1Page,
  registrationV1Page,
} from './pages/registration.pages.js';
import { activationV1Path, consolePath, invitationV1Path } from './paths.js';
import { activated, enteredIn, passwordProblem, problemOf, register } from './registration.js';

/** Shows the registration page of Login V1. */
export async function showRegistration(login: LoginContext, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, registrationV1Page(view, hiddenFields(login), enteredIn(login)));
}

/** Creates the user, who is signed in once the code of the e-mail was entered. */
export async function submitRegistration(login: LoginContext): Promise<void> {
  const { form } = login.call;
  const entered = enteredIn(login);
  const password = form['register-password'] ?? '';
  const problem =
    problemOf(login, entered) ?? passwordProblem(password, form['register-password-confirmation']);
  if (problem !== undefined) return showRegistration(login, problem);
  const user = await register(login, entered, password);
  await showActivation(login, user, shownName(login, user));
}

/** Login V1 shows the name of the user where the request names an organization. */
function shownName({ request }: LoginContext, { loginName }: SandboxUser): string {
  return request.organizationId === undefined ? '' : loginName;
}

async function showActivation(
  login: LoginContext,
  user: SandboxUser,
  loginName: string,
  error?: string,
): Promise<void> {
  const view = await createView(login, error);
  const sent = codeOf(user, 'e-mail');
  const link = linkOf(activationV1Path, login, user, { code: sent, passwordset: 'true' });
  const { code = '' } = login.call.query;
  answerHtml(
    login.call.ctx,
    activationV1Page(view, hiddenFields(login), { user, loginName, code, sent, link }),
  );
}

/** The address of the link in Zitadel's e-mail. */
function linkOf(path: string, { id }: LoginContext, user: SandboxUser, more: Record<string, string>): string {
  const { loginName: loginname, home } = user;
  const parameters = { authRequestID: id, loginname, orgID: home.id, userID: user.id, ...more };
  return `${path}?${new URLSearchParams(parameters).toString()}`;
}

/** Opens the link of the e-mail to a registered person, or compares the code. */
export async function activate(login: LoginContext): Promise<void> {
  const { call, instance, id } = login;
  const known = instance.directory.byId(call.params['userID']);
  if (known?.kind !== 'human') return showNobody(login);
  if (call.ctx.method !== 'POST') return showActivation(login, known, call.params['loginname'] ?? '');
  const shown = call.form['loginName'] ?? '';
  if (call.form['resend'] === 'true') return showActivation(login, known, shown);
  const user = activated(login, known.id);
  if (!user) return showActivation(login, known, shown, 'Code is invalid');
  if (id !== '') {
    const session = await instance.sessions.start(call.ctx, user, 1, passwordAmr);
    await saveProgress(instance, id, { sid: session.jti });
  }
  answerHtml(
    call.ctx,
    activatedV1Page(await createView(login), hiddenFields(login), {
      loginName: shownName(login, user),
      orgID: user.home.id,
    }),
  );
}

/** A link of an e-mail or a form names a user who does not wait for it. */
function showNobody(login: LoginContext): Promise<void> | void {
  const error = 'User could not be found';
  if (login.id !== '') return showLoginNameV1(login, error);
  answerHtml(login.call.ctx, messagePage('An error occurred', error));
}

/** Shows an invited person, who has no password yet, the page for code and password. */
export async function showInvitation(
  login: LoginContext,
  user: SandboxUser,
  loginName = user.loginName,
  error?: string,
): Promise<void> {
  const view = await createView(login, error);
  const { inviteCode: sent = '' } = user;
  const link = linkOf(invitationV1Path, login, user, { code: sent });
  const { code = '' } = login.call.query;
  answerHtml(
    login.call.ctx,
    invitationV1Page(view, hiddenFields(login), { user, loginName, code, sent, link }),
  );
}

/** Opens the link of an invitation, or sets the password of the invited person, after which the password page follows. */
export async function acceptInvitation(
  login: LoginContext,
  showPassword: (login: LoginContext, loginName: string) => Promise<void>,
): Promise<void> {
  const { call, instance, id } = login;
  const user = instance.directory.byId(call.params['userID']);
  if (user?.inviteCode === undefined || !isMember(user, login.request)) return showNobody(login);
  if (call.ctx.method !== 'POST') return showInvitation(login, user, call.params['loginname'] ?? '');
  const { loginName, code, password = '', passwordconfirm, resend } = call.form;
  if (resend === 'true') return showInvitation(login, user, loginName);
  if (code !== user.inviteCode) return showInvitation(login, user, loginName, 'Code is invalid');
  const problem = passwordProblem(password, passwordconfirm);
  if (problem !== undefined) return showInvitation(login, user, loginName, problem);
  Object.assign(user, { password, emailVerified: true, isUninitialized: false });
  delete user.inviteCode;
  return id === '' ? redirect(call.ctx, consolePath) : showPassword(login, user.loginName);
}
