import { saveAnswer } from '../auth-request.js';
import type { Call, Endpoint } from '../call.js';
import { answerText } from '../fixed-answers.js';
import { answerHtml } from '../html-answer.js';
import { messagePage } from '../pages/layout.js';
import { passwordV1Page, registrationV1Page, userSelectionV1Page } from '../pages/login-v1.pages.js';
import {
  callbackV1Path,
  loginNameV1Path,
  loginV1Path,
  mailVerificationV1Path,
  passwordV1Path,
  registerV1Path,
  userSelectionV1Path,
} from '../pages/paths.js';
import type { Session } from '../provider.js';
import { redirect } from '../redirect.js';
import type { SandboxUser } from '../users.js';
import { finishLogin, leaveLogin } from './finish-login.js';
import { hintedPerson, isMember, isTooOld, loginVisit, viewOf, type LoginVisit } from './login-visit.js';
import {
  fieldsOf,
  goOnV1,
  mailCodeOf,
  mustVerifyMail,
  showLoginNameV1,
  showMailVerification,
} from './login-v1.steps.js';
import { signInShort } from './short-sign-in.js';

type Step = (visit: LoginVisit) => Promise<void> | void;

interface SignedIn {
  session: Session;
  user: SandboxUser;
}

const interactionRequired =
  'Unfortunately, the user may be not logged in and/or additional interaction is required.';
const notFound = 'ID=CACHE-d24aD Message=Errors.AuthRequest.NotFound Parent=(sql: no rows in result set)';

/** Login V1: HTML forms, each step posted to its own path. Its pages have the status 200, faults told on them too. */
export const loginV1Endpoints: Record<string, Endpoint> = {
  [loginV1Path]: step((visit) => (visit.call.ctx.method === 'POST' ? signInShort(visit) : decide(visit))),
  [loginNameV1Path]: form(takeLoginName),
  [passwordV1Path]: form(takePassword),
  [userSelectionV1Path]: form(takeSelection),
  [mailVerificationV1Path]: form(takeMailCode),
  [registerV1Path]: step(showRegistration),
};

function step(run: Step): Endpoint {
  return async (call, realm) => {
    const visit = await loginVisit(call, realm);
    if (visit?.request.loginVersion === 1) return run(visit);
    answerHtml(call.ctx, messagePage('An error occurred', 'Could not find authrequest'));
  };
}

function form(run: Step): Endpoint {
  return step((visit) => {
    const { ctx, form } = visit.call;
    if (ctx.method === 'POST' && form['gorilla.csrf.Token'] === fieldsOf(visit)['gorilla.csrf.Token']) {
      return run(visit);
    }
    ctx.status = ctx.method === 'POST' ? 403 : 405;
    answerHtml(ctx, messagePage('An error occurred', 'The form cannot be taken: CSRF token invalid'));
  });
}

/** Which page comes first, if any. */
async function decide(visit: LoginVisit): Promise<void> {
  const { prompts } = visit.request;
  const signedIn = await signedInHere(visit);
  const hinted = hintedPerson(visit);
  const known = hinted ? signedIn.find(({ user }) => user === hinted) : signedIn[0];
  const isClear = hinted !== undefined || signedIn.length === 1;
  if (prompts.includes('none')) return answerSilently(visit, isClear ? known : undefined);
  if (prompts.includes('create')) return showRegistration(visit);
  if (prompts.includes('consent')) return showLoginNameV1(visit);
  if (hinted && (!known || prompts.includes('login'))) return showPassword(visit, hinted.loginName);
  if (!known || prompts.includes('login')) return showLoginNameV1(visit);
  if (isClear && !prompts.includes('select_account')) return useSession(visit, known);
  const view = await viewOf(visit);
  const users = signedIn.map(({ user }) => user);
  answerHtml(visit.call.ctx, userSelectionV1Page(view, fieldsOf(visit), users));
}

async function signedInHere({ call, realm, request }: LoginVisit): Promise<SignedIn[]> {
  const sessions = await realm.sessions.of(call.ctx, 1);
  return sessions.flatMap((session) => {
    const user = realm.directory.byId(session.accountId);
    return user && isMember(user, request) ? [{ session, user }] : [];
  });
}

/** Without a page: the callback says the rest. */
async function answerSilently(visit: LoginVisit, known: SignedIn | undefined): Promise<void> {
  if (known && !isTooOld(known.session, visit.request) && !mustVerifyMail(known.user)) {
    return handOver(visit, known.session);
  }
  goToCallback(visit);
}

async function useSession(visit: LoginVisit, { session, user }: SignedIn): Promise<void> {
  if (!user.active) {
    return showLoginNameV1(visit, user.state === 'locked' ? 'User is locked' : 'User is not active');
  }
  if (isTooOld(session, visit.request)) return showPassword(visit, user.loginName);
  return goOnV1(visit, session, handOver);
}

async function handOver(visit: LoginVisit, session: Session): Promise<void> {
  await saveAnswer(visit.realm, visit.id, session.jti);
  goToCallback(visit);
}

function goToCallback({ call, realm, id }: LoginVisit): void {
  redirect(call.ctx, `${realm.issuer}${callbackV1Path}?id=${id}`);
}

/** Where Login V1 leaves the rest to the protocol: the code, or what is missing, goes to the application. */
export async function authorizeCallback(call: Call, realm: LoginVisit['realm']): Promise<void> {
  const id = call.params['id'];
  if (!id) return refuseCallback(call, 'auth request callback is missing id');
  const visit = await loginVisit({ ...call, params: { authRequestID: id } }, realm);
  if (visit?.request.loginVersion !== 1) return refuseCallback(call, notFound);
  // only the browser that signed in gets what it is entitled to
  const session = (await realm.sessions.of(call.ctx, 1)).find(({ jti }) => jti === visit.request.sid);
  if (!session) {
    return leaveLogin(visit, { error: 'interaction_required', error_description: interactionRequired });
  }
  if (!realm.directory.byId(session.accountId)?.active) {
    return refuseCallback(call, 'ID=EVENT-FJ262 Message=Errors.User.NotActive');
  }
  return finishLogin(visit, session);
}

function refuseCallback({ ctx }: Call, text: string): void {
  answerText(ctx, 400, text);
}

async function takeLoginName(visit: LoginVisit): Promise<void> {
  const { call, realm, request } = visit;
  if (call.form['register'] === 'true') return showRegistration(visit);
  const user = realm.directory.person(call.form['loginName']);
  if (!user || !isMember(user, request)) return showLoginNameV1(visit, 'User could not be found');
  if (!user.active) {
    return showLoginNameV1(visit, user.state === 'locked' ? 'User is locked' : 'User is inactive');
  }
  return passwordOrSession(visit, user, call.form['loginName']);
}

/** Who is signed in already is not asked again, unless the application wants it. */
async function passwordOrSession(
  visit: LoginVisit,
  user: SandboxUser,
  loginName = user.loginName,
): Promise<void> {
  const known = (await signedInHere(visit)).find((one) => one.user === user);
  if (known && !visit.request.prompts.includes('login')) return useSession(visit, known);
  return showPassword(visit, loginName);
}

async function takeSelection(visit: LoginVisit): Promise<void> {
  const { form: fields } = visit.call;
  const user = visit.realm.directory.byId(fields['userselection'] ?? fields['userID']);
  return user && isMember(user, visit.request) ? passwordOrSession(visit, user) : showLoginNameV1(visit);
}

async function showPassword(visit: LoginVisit, loginName: string, error?: string): Promise<void> {
  const view = await viewOf(visit, error);
  answerHtml(visit.call.ctx, passwordV1Page(view, fieldsOf(visit), loginName));
}

async function takePassword(visit: LoginVisit): Promise<void> {
  const { call, realm, request } = visit;
  const { loginName = '', password } = call.form;
  const user = realm.directory.person(loginName);
  if (!user || !isMember(user, request)) return showLoginNameV1(visit, 'User could not be found');
  if (!user.active) {
    return showLoginNameV1(visit, user.state === 'locked' ? 'User is locked' : 'User is inactive');
  }
  if (password !== user.password) return showPassword(visit, loginName, 'Password is invalid');
  return goOnV1(visit, await realm.sessions.start(call.ctx, user, 1), handOver);
}

async function takeMailCode(visit: LoginVisit): Promise<void> {
  const { userID, code } = visit.call.form;
  const known = (await signedInHere(visit)).find(({ user }) => user.id === userID);
  if (!known) return showLoginNameV1(visit);
  if (code !== mailCodeOf(known.user)) {
    return showMailVerification(visit, known.user, 'Code is invalid');
  }
  known.user.emailVerified = true;
  return useSession(visit, known);
}

async function showRegistration(visit: LoginVisit): Promise<void> {
  answerHtml(visit.call.ctx, registrationV1Page(await viewOf(visit)));
}
