import type { Endpoint } from '../call.js';
import { answerHtml } from '../html-answer.js';
import { accountsPage, loginNamePage, passwordPage, registerPage } from '../pages/login-v2.pages.js';
import { accountsPath, loginNamePath, loginPath, passwordPath, registerPath } from '../pages/paths.js';
import type { Session } from '../provider.js';
import type { SandboxUser } from '../users.js';
import { finishLogin } from './finish-login.js';
import { hintedPerson, isMember, loginVisit, viewOf, type LoginVisit } from './login-visit.js';
import { signInShort } from './short-sign-in.js';

type Step = (visit: LoginVisit) => Promise<void> | void;

/** Login V2: a page for each step, all for one authorization request. */
export const loginV2Endpoints: Record<string, Endpoint> = {
  [loginPath]: step((visit) => (isPost(visit) ? signInShort(visit) : decide(visit))),
  [loginNamePath]: step((visit) => (isPost(visit) ? takeLoginName(visit) : showLoginName(visit))),
  [passwordPath]: step((visit) => (isPost(visit) ? takePassword(visit) : showPassword(visit))),
  [accountsPath]: step((visit) => (isPost(visit) ? takeAccount(visit) : showAccounts(visit))),
  [registerPath]: step(async (visit) => answerHtml(visit.call.ctx, registerPage(await viewOf(visit)))),
};

/** A login link that was used already, or is none, gets a bare JSON 500. */
function step(run: Step): Endpoint {
  return async (call, realm) => {
    const visit = await loginVisit(call, realm);
    if (visit?.request.loginVersion === 2) return run(visit);
    call.ctx.status = 500;
    call.ctx.body = { error: 'Internal Server Error' };
  };
}

function isPost({ call }: LoginVisit): boolean {
  return call.ctx.method === 'POST';
}

/**
 * Which page comes first. `max_age` is not looked at, nor is whether the user is still active: a session answers as
 * long as it lives (Zitadel: apps/login, login/route.ts).
 */
async function decide(visit: LoginVisit): Promise<void> {
  const { call, realm, request } = visit;
  const { prompts } = request;
  const sessions = await realm.sessions.of(call.ctx, 2);
  if (prompts.includes('create')) return goTo(visit, registerPath);
  if (sessions.length === 0) return askForNameOrPassword(visit);
  if (prompts.includes('select_account')) return goTo(visit, accountsPath);
  if (prompts.includes('login')) return askForNameOrPassword(visit);
  const session = sessions.find((one) => isHinted(one, visit));
  if (session && mayAnswer(session, visit)) return finishLogin(visit, session);
  if (!prompts.includes('none')) return goTo(visit, accountsPath);
  call.ctx.status = 400;
  // no redirect, and no OAuth error (zitadel#12165)
  call.ctx.body = { error: 'No active session found' };
}

function isHinted({ accountId }: Session, { realm, request }: LoginVisit): boolean {
  const { hintedUserId, loginHint } = request;
  if (hintedUserId !== undefined) return hintedUserId === accountId;
  return loginHint === undefined || realm.directory.byId(accountId)?.loginName === loginHint;
}

function mayAnswer(session: Session, { realm, request }: LoginVisit): boolean {
  const user = realm.directory.byId(session.accountId);
  return user ? isMember(user, request) : request.organizationId === undefined;
}

function askForNameOrPassword(visit: LoginVisit): void {
  const { loginHint } = visit.request;
  const known = loginHint !== undefined && hintedPerson(visit)?.active;
  if (known) goTo(visit, passwordPath, { loginName: loginHint });
  else goTo(visit, loginNamePath, loginHint === undefined ? {} : { loginName: loginHint });
}

function goTo({ call, id }: LoginVisit, path: string, parameters: Record<string, string> = {}): void {
  call.ctx.status = isPost({ call } as LoginVisit) ? 303 : 307;
  const query = new URLSearchParams({ ...parameters, requestId: `oidc_${id}` });
  call.ctx.set('Location', `${path}?${query.toString()}`);
  call.ctx.body = '';
}

async function showLoginName(visit: LoginVisit, error?: string): Promise<void> {
  const view = await viewOf(visit, error);
  answerHtml(visit.call.ctx, loginNamePage(view, `oidc_${visit.id}`, visit.call.params['loginName'] ?? ''));
}

function takeLoginName(visit: LoginVisit): Promise<void> | void {
  const { loginName = '' } = visit.call.form;
  const user = visit.realm.directory.person(loginName);
  if (!user || !isMember(user, visit.request)) return showLoginName(visit, 'User not found in the system');
  if (!user.active) return showLoginName(visit, 'User is not active');
  return goTo(visit, passwordPath, { loginName });
}

async function showPassword(visit: LoginVisit, error?: string): Promise<void> {
  const view = await viewOf(visit, error);
  answerHtml(visit.call.ctx, passwordPage(view, `oidc_${visit.id}`, visit.call.params['loginName'] ?? ''));
}

async function takePassword(visit: LoginVisit): Promise<void> {
  const { call, realm, request } = visit;
  const user = realm.directory.person(call.form['loginName']);
  if (!user?.active || !isMember(user, request)) return showPassword(visit, 'User not found in the system');
  if (call.form['password'] !== user.password) return showPassword(visit, 'The password is wrong');
  await finishLogin(visit, await realm.sessions.start(call.ctx, user, 2));
}

async function showAccounts(visit: LoginVisit, error?: string): Promise<void> {
  const sessions = await visit.realm.sessions.of(visit.call.ctx, 2);
  const accounts = sessions.flatMap((session) => {
    const user: SandboxUser | undefined = visit.realm.directory.byId(session.accountId);
    return user ? [{ session, user }] : [];
  });
  const view = await viewOf(visit, error);
  answerHtml(visit.call.ctx, accountsPage(view, `oidc_${visit.id}`, accounts));
}

async function takeAccount(visit: LoginVisit): Promise<void> {
  const sessions = await visit.realm.sessions.of(visit.call.ctx, 2);
  const session = sessions.find(({ jti }) => jti === visit.call.form['session']);
  if (!session) return goTo(visit, loginNamePath);
  if (mayAnswer(session, visit)) return finishLogin(visit, session);
  await showAccounts(visit, 'User is no member of the required organization');
}
