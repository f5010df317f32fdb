import { closeAuthRequest, findAuthRequest, issueCode, type AuthRequest } from '../auth-request.js';
import { answerWith } from '../authorization-response.js';
import type { Call, Endpoint } from '../call.js';
import { nowSeconds } from '../now.js';
import { answerHtml } from '../html-answer.js';
import { messagePage } from '../pages/layout.js';
import { loginPage } from '../pages/login.page.js';
import type { Session } from '../provider.js';
import type { Realm } from '../realm.js';
import type { SandboxUser } from '../users.js';

const interactionRequired =
  'Unfortunately, the user may be not logged in and/or additional interaction is required.';
const promptsForAPage = ['login', 'select_account', 'create', 'consent'];

/** The login UI: shows the page, signs in, and brings the outcome to the application. */
export const login: Endpoint = async (call, realm) => {
  const id = call.params['authRequest'] ?? call.params['authRequestID'] ?? '';
  const request = await findAuthRequest(realm, id);
  if (!request) {
    call.ctx.status = 404;
    answerHtml(
      call.ctx,
      messagePage(
        'Unknown login request',
        'It was answered already or has expired. Start again in the application.',
      ),
    );
    return;
  }
  if (call.ctx.method === 'POST') await answerForm(call, realm, id, request);
  else await answerVisit(call, realm, id, request);
};

async function answerVisit(call: Call, realm: Realm, id: string, request: AuthRequest): Promise<void> {
  const session = (await realm.sessions.of(call.ctx)).find((one) => mayAnswer(one, request, realm));
  if (session) return finish(call, realm, id, request, session);
  if (request.prompts.includes('none') && loginVersionOf(request, realm) === 1) {
    await closeAuthRequest(realm, id);
    answerWith(call.ctx, request, { error: 'interaction_required', error_description: interactionRequired });
    return;
  }
  if (request.prompts.includes('none')) {
    call.ctx.status = 400;
    // no redirect, and no OAuth error: as Login V2 does (zitadel#12165)
    call.ctx.body = { error: 'No active session found' };
    return;
  }
  await showLoginPage(call, realm, id, request);
}

function mayAnswer(session: Session, request: AuthRequest, realm: Realm): boolean {
  const { prompts, maxAgeSeconds, loginHint, hintedUserId } = request;
  const user = realm.directory.byId(session.accountId);
  const ageSeconds = nowSeconds() - (session.loginTs ?? 0);
  return (
    user !== undefined &&
    isWelcome(user, request, realm) &&
    !prompts.some((prompt) => promptsForAPage.includes(prompt)) &&
    (maxAgeSeconds === undefined || ageSeconds < maxAgeSeconds) &&
    (loginHint === undefined || loginHint === user.loginName) &&
    (hintedUserId === undefined || hintedUserId === user.id)
  );
}

function loginVersionOf({ clientId }: AuthRequest, realm: Realm): 1 | 2 {
  return realm.applications.byClientId(clientId)?.loginVersion ?? 2;
}

function isWelcome(user: SandboxUser, { organizationId }: AuthRequest, realm: Realm): boolean {
  return (
    user.active &&
    (organizationId === undefined || realm.directory.organizationOf(user).id === organizationId)
  );
}

async function answerForm(call: Call, realm: Realm, id: string, request: AuthRequest): Promise<void> {
  if (call.form['cancel']) {
    await closeAuthRequest(realm, id);
    answerWith(call.ctx, request, {
      error: 'access_denied',
      error_description: 'The user cancelled the login.',
    });
    return;
  }
  const { loginName, password } = call.form;
  const user = realm.directory.people.find((one) => one.loginName === loginName);
  if (!user || !isWelcome(user, request, realm)) {
    await refuse(call, realm, id, request, 'User could not be found.');
  } else if (password !== undefined && password !== user.password) {
    await refuse(call, realm, id, request, 'Username or password is wrong.');
  } else {
    await finish(
      call,
      realm,
      id,
      request,
      await realm.sessions.start(call.ctx, user, loginVersionOf(request, realm)),
    );
  }
}

async function refuse(
  call: Call,
  realm: Realm,
  id: string,
  request: AuthRequest,
  error: string,
): Promise<void> {
  call.ctx.status = 400;
  await showLoginPage(call, realm, id, request, error);
}

async function finish(
  call: Call,
  realm: Realm,
  id: string,
  request: AuthRequest,
  session: Session,
): Promise<void> {
  await closeAuthRequest(realm, id);
  answerWith(call.ctx, request, { code: await issueCode(realm, id, request, session) });
}

async function showLoginPage(
  call: Call,
  realm: Realm,
  id: string,
  request: AuthRequest,
  error?: string,
): Promise<void> {
  const sessions = await realm.sessions.of(call.ctx);
  const loginHint = call.form['loginName'] ?? request.loginHint;
  const page = loginPage({
    authRequest: id,
    applicationName: realm.applications.byClientId(request.clientId)?.name ?? '',
    people: realm.directory.people.filter((user) => isWelcome(user, request, realm)),
    isRegistration: request.prompts.includes('create'),
    signedIn: sessions.map(({ accountId }) => realm.directory.byId(accountId)?.loginName ?? ''),
    ...(loginHint !== undefined && { loginHint }),
    ...(request.uiLocales !== undefined && { uiLocales: request.uiLocales }),
    ...(error !== undefined && { error }),
  });
  answerHtml(call.ctx, page);
}
