import type { SandboxUser } from '../directory/users.js';
import { answerHtml } from '../http/answers.js';
import { passwordAmr } from '../sessions/browser-sessions.js';
import { saveProgress } from './auth-request.js';
import { codeOf, createView, isMember, type LoginContext } from './login-context.js';
import { hiddenFields, showLoginNameV1 } from './login-v1.steps.js';
import {
  activatedV1Page,
  activationV1Page,
  invitationV1Page,
  registrationV1Page,
} from './pages/registration.pages.js';
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
  await showActivation(login, await register(login, entered, password));
}

async function showActivation(login: LoginContext, user: SandboxUser, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, activationV1Page(view, hiddenFields(login), user, codeOf(user, 'e-mail')));
}

/** Compares the code of the e-mail. */
export async function submitActivation(login: LoginContext): Promise<void> {
  const { call, instance, id } = login;
  const user = activated(login, call.form['userID']);
  if (!user) {
    const known = instance.directory.byId(call.form['userID']);
    return known?.kind === 'human' ? showActivation(login, known, 'Code is invalid') : showLoginNameV1(login);
  }
  const session = await instance.sessions.start(call.ctx, user, 1, passwordAmr);
  await saveProgress(instance, id, { sid: session.jti });
  answerHtml(call.ctx, activatedV1Page(await createView(login), hiddenFields(login)));
}

/** Shows an invited person, who has no password yet, the page for code and password. */
export async function showInvitation(login: LoginContext, user: SandboxUser, error?: string): Promise<void> {
  const view = await createView(login, error);
  answerHtml(login.call.ctx, invitationV1Page(view, hiddenFields(login), user));
}

/** Sets the password of an invited person. As in Zitadel, the password page follows. */
export async function submitInvitation(
  login: LoginContext,
  showPassword: (login: LoginContext, loginName: string) => Promise<void>,
): Promise<void> {
  const { userID, code, password = '', passwordconfirm } = login.call.form;
  const user = login.instance.directory.byId(userID);
  if (user?.inviteCode === undefined || !isMember(user, login.request)) return showLoginNameV1(login);
  if (code !== user.inviteCode) return showInvitation(login, user, 'Code is invalid');
  const problem = passwordProblem(password, passwordconfirm);
  if (problem !== undefined) return showInvitation(login, user, problem);
  Object.assign(user, { password, emailVerified: true, isUninitialized: false });
  delete user.inviteCode;
  return showPassword(login, user.loginName);
}
