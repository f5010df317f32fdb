import type { SandboxUser } from '../directory/users.js';
import { answerText, answerHtml, redirect } from '../http/answers.js';
import type { Call } from '../http/call.js';
import type { Endpoint } from '../instance/instance.js';
import { passwordAmr } from '../sessions/browser-sessions.js';
import type { Session } from '../storage/provider.js';
import { saveProgress } from './auth-request.js';
import { signInDirectly } from './direct-sign-in.js';
import { finishLogin, answerClient } from './finish-login.js';
import {
  codeOf,
  hintedPerson,
  isMember,
  isTooOld,
  findLogin,
  createView,
  personWithCode,
  type LoginContext,
} from './login-context.js';
import {
  hiddenFields,
  continueLoginV1,
  form,
  linked,
  mustVerifyMail,
  redirectToCallback,
  saveSessionAndRedirect,
  showLoginNameV1,
  showMailVerification,
  step,
} from './login-v1.steps.js';
import { oneTimeCodeV1Page, passwordV1Page, userSelectionV1Page } from './pages/login-v1.pages.js';
import {
  activationV1Path,
  consolePath,
  invitationV1Path,
  loginNameV1Path,
  loginV1Path,
  mailVerificationV1Path,
  oneTimeCodeV1Path,
  passwordV1Path,
  registerV1Path,
  userSelectionV1Path,
} from './paths.js';
import {
  acceptInvitation,
  activate,
  showInvitation,
  showRegistration,
  submitRegistration,
} from './registration-v1.steps.js';

interface SignedIn {
  session: Session;
  user: SandboxUser;
}

const interactionRequired =
  'Unfortunately, the user may be not logged in and/or additional interaction is required.';
const notFound = 'ID=CACHE-d24aD Message=Errors.AuthRequest.NotFound Parent=(sql: no rows in result set)';

const login = step((login) => (login.call.ctx.method === 'POST' ? submitLogin(login) : showFirstPage(login)));

/** Login V1: HTML forms, one path per step. Pages with an error message have status 200, too, as in Zitadel. */
export const loginV1Endpoints: Record<string, Endpoint> = {
  [loginV1Path]: (call, instance) =>
    call.params['authRequest'] || call.params['authRequestID']
      ? login(call, instance)
      : redirect(call.ctx, consolePath),
  [loginNameV1Path]: (call, instance) =>
    (call.ctx.method === 'POST' ? form(submitLoginName) : step(showLoginNameV1))(call, instance),
  [passwordV1Path]: form(submitPassword),
  [oneTimeCodeV1Path]: form(submitOneTimeCode),
  [userSelectionV1Path]: form(selectAccount),
  [mailVerificationV1Path]: form(submitMailCode),
  [registerV1Path]: (call, instance) =>
    (call.ctx.method === 'POST' ? form(submitRegistration) : step(showRegistration))(call, instance),
  [activationV1Path]: linked(activate),
  [invitationV1Path]: linked((login) => acceptInvitation(login, showPassword)),
};

/** The list of users posts here, and so does the last page of a registration, after which the user is signed in. */
function submitLogin(login: LoginContext): Promise<void> | void {
  const { sid } = login.request;
  const isActivated = sid !== undefined && login.call.form['loginName'] === undefined;
  return isActivated ? redirectToCallback(login) : signInDirectly(login);
}

/** Shows the first page, or completes the login without one. */
async function showFirstPage(login: LoginContext): Promise<void> {
  const { prompts } = login.request;
  const signedIn = await signedInMembers(login);
  const hinted = hintedPerson(login);
  const known = hinted ? signedIn.find(({ user }) => user === hinted) : signedIn[0];
  const isClear = hinted !== undefined || signedIn.length === 1;
  if (prompts.includes('none')) return answerPromptNone(login, isClear ? known : undefined);
  if (prompts.includes('create')) return showRegistration(login);
  if (prompts.includes('consent')) return showLoginNameV1(login);
  if (hinted && (!known || prompts.includes('login'))) return showPassword(login, hinted.loginName);
  if (!known || prompts.includes('login')) return showLoginNameV1(login);
  if (isClear && !prompts.includes('select_account')) return useSession(login, known);
  const view = await createView(login);
  const users = signedIn.map(({ user }) => user);
  answerHtml(login.call.ctx, userSelectionV1Page(view, hiddenFields(login), users));
}

async function signedInMembers({ call, instance, request }: LoginContext): Promise<SignedIn[]> {
  const sessions = await instance.sessions.list(call.ctx, 1);
  return sessions.flatMap((session) => {
    const user = instance.directory.byId(session.accountId);
    return user && isMember(user, request) ? [{ session, user }] : [];
  });
}

/** Handles `prompt=none`: without a matching session, the callback sends the error. */
async function answerPromptNone(login: LoginContext, known: SignedIn | undefined): Promise<void> {
  if (known && !isTooOld(known.session, login.request) && !mustVerifyMail(known.user)) {
    return saveSessionAndRedirect(login, known.session);
  }
  redirectToCallback(login);
}

async function useSession(login: LoginContext, { session, user }: SignedIn): Promise<void> {
  if (!user.active) {
    return showLoginNameV1(login, user.state === 'locked' ? 'User is locked' : 'User is not active');
  }
  if (isTooOld(session, login.request)) return showPassword(login, user.loginName);
  return continueLoginV1(login, session, saveSessionAndRedirect);
}

/** `GET /oauth/v2/authorize/callback`: Login V1 redirects here to send the authorization response. */
export async function authorizeCallback(call: Call, instance: LoginContext['instance']): Promise<void> {
  const id = call.params['id'];
  if (!id) return answerCallbackError(call, 'auth request callback is missing id');
  const login = await findLogin({ ...call, params: { authRequestID: id } }, instance);
  if (login?.request.loginVersion !== 1 || login.request.userCode !== undefined)
    return answerCallbackError(call, notFound);
  // the session cookie must be that of the browser that signed in
  const session = (await instance.sessions.list(call.ctx, 1)).find(({ jti }) => jti === login.request.sid);
  if (!session) {
    return answerClient(login, { error: 'interaction_required', error_description: interactionRequired });
  }
  if (!instance.directory.byId(session.accountId)?.active) {
    return answerCallbackError(call, 'ID=EVENT-FJ262 Message=Errors.User.NotActive');
  }
  return finishLogin(login, session);
}

function answerCallbackError({ ctx }: Call, text: string): void {
  answerText(ctx, 400, text);
}

async function submitLoginName(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  if (call.form['register'] === 'true') return showRegistration(login);
  const user = instance.directory.findPerson(call.form['loginName']);
  if (!user || !isMember(user, request)) return showLoginNameV1(login, 'User could not be found');
  if (!user.active) {
    return showLoginNameV1(login, user.state === 'locked' ? 'User is locked' : 'User is inactive');
  }
  return useSessionOrAskPassword(login, user, call.form['loginName']);
}

/** Skips the password page for a signed-in user, unless `prompt=login` was requested. */
async function useSessionOrAskPassword(
  login: LoginContext,
  user: SandboxUser,
  loginName = user.loginName,
): Promise<void> {
  const known = (await signedInMembers(login)).find((one) => one.user === user);
  if (known && !login.request.prompts.includes('login')) return useSession(login, known);
  return showPassword(login, loginName);
}

async function selectAccount(login: LoginContext): Promise<void> {
  const { form: fields } = login.call;
  const user = login.instance.directory.byId(fields['userselection'] ?? fields['userID']);
  return user && isMember(user, login.request)
    ? useSessionOrAskPassword(login, user)
    : showLoginNameV1(login);
}

async function showPassword(login: LoginContext, loginName: string, error?: string): Promise<void> {
  const invited = login.instance.directory.findPerson(loginName);
  if (invited?.inviteCode !== undefined) return showInvitation(login, invited);
  const view = await createView(login, error);
  answerHtml(login.call.ctx, passwordV1Page(view, hiddenFields(login), loginName));
}

async function submitPassword(login: LoginContext): Promise<void> {
  const { call, instance, request } = login;
  const { loginName = '', password } = call.form;
  const user = instance.directory.findPerson(loginName);
  if (!user || !isMember(user, request)) return showLoginNameV1(login, 'User could not be found');
  if (!user.active) {
    return showLoginNameV1(login, user.state === 'locked' ? 'User is locked' : 'User is inactive');
  }
  if (password !== user.password) return showPassword(login, loginName, 'Password is invalid');
  if (user.secondFactor === 'totp') {
    await saveProgress(instance, login.id, { passwordOf: user.id });
    return showOneTimeCode(login, user);
  }
  return startSession(login, user, passwordAmr);
}

async function startSession(login: LoginContext, user: SandboxUser, amr?: string[]): Promise<void> {
  const session = await login.instance.sessions.start(login.call.ctx, user, 1, amr);
  return continueLoginV1(login, session, saveSessionAndRedirect);
}

async function showOneTimeCode(login: LoginContext, user: SandboxUser, error?: string): Promise<void> {
  const view = await createView(login, error);
  const code = codeOf(user, 'authenticator app');
  answerHtml(login.call.ctx, oneTimeCodeV1Page(view, hiddenFields(login), user.loginName, code));
}

async function submitOneTimeCode(login: LoginContext): Promise<void> {
  const user = personWithCode(login);
  if (!user?.active) return showLoginNameV1(login);
  return login.call.form['code'] === codeOf(user, 'authenticator app')
    ? startSession(login, user)
    : showOneTimeCode(login, user, 'Invalid code');
}

async function submitMailCode(login: LoginContext): Promise<void> {
  const { userID, code } = login.call.form;
  const known = (await signedInMembers(login)).find(({ user }) => user.id === userID);
  if (!known) return showLoginNameV1(login);
  if (code !== codeOf(known.user, 'e-mail')) {
    return showMailVerification(login, known.user, 'Code is invalid');
  }
  known.user.emailVerified = true;
  return useSession(login, known);
}
