import { createHmac, randomBytes } from 'node:crypto';
import type { SandboxUser } from '../directory/users.js';
import { answerHtml, redirect } from '../http/answers.js';
import type { Endpoint } from '../instance/instance.js';
import type { Session } from '../storage/provider.js';
import { saveProgress, type AuthRequest } from './auth-request.js';
import { codeOf, createView, findLogin, type LoginContext } from './login-context.js';
import { messagePage } from './pages/layout.js';
import { loginNameV1Page, mailVerificationV1Page, type FormFields } from './pages/login-v1.pages.js';
import { callbackV1Path, deviceActionV1Path } from './paths.js';

const formSecret = randomBytes(32);

/** The hidden fields of a Login V1 form for this login. */
export function hiddenFields({ id }: LoginContext): FormFields {
  return {
    'gorilla.csrf.Token': createHmac('sha256', formSecret).update(id).digest('base64'),
    authRequestID: id,
  };
}

type Step = (login: LoginContext) => Promise<void> | void;

/** A step of a sign-in with Login V1. */
export function step(run: Step): Endpoint {
  return async (call, instance) => {
    const login = await findLogin(call, instance);
    if (login?.request.loginVersion === 1) return run(login);
    answerHtml(call.ctx, messagePage('An error occurred', 'Could not find authrequest'));
  };
}

/** A step that a form is sent to. */
export function form(run: Step): Endpoint {
  return step((login) => runForm(run, login));
}

function runForm(run: Step, login: LoginContext): Promise<void> | void {
  const { ctx, form } = login.call;
  if (ctx.method === 'POST' && form['gorilla.csrf.Token'] === hiddenFields(login)['gorilla.csrf.Token']) {
    return run(login);
  }
  ctx.status = ctx.method === 'POST' ? 403 : 405;
  answerHtml(ctx, messagePage('An error occurred', 'The form was rejected: invalid CSRF token'));
}

/** An e-mail link has no sign-in to go on with in another browser than the one that has asked. */
const withoutSignIn: AuthRequest = {
  ...{ clientId: '', redirectUri: '', responseType: '', responseMode: 'query' },
  ...{ scopes: [], prompts: [], loginVersion: 1 },
};

/** A page that an e-mail links to, and its form. In another browser than that of the sign-in, the sign-in has no id. */
export function linked(run: Step): Endpoint {
  return async (call, instance) => {
    const found = await findLogin(call, instance);
    const isOfBrowser = found?.request.browserId === instance.sessions.ensureBrowserId(call.ctx);
    const login = found && isOfBrowser ? found : { call, instance, id: '', request: withoutSignIn };
    await (call.ctx.method === 'POST' ? runForm(run, login) : run(login));
  };
}

/** Completes the sign-in with a session. */
export async function saveSessionAndRedirect(login: LoginContext, session: Session): Promise<void> {
  await saveProgress(login.instance, login.id, { sid: session.jti });
  redirectToCallback(login);
}

/** Leaves the login pages: to the protocol endpoint that answers the client, or to the decision about a device. */
export function redirectToCallback({ call, instance, id, request }: LoginContext): void {
  const isDevice = request.userCode !== undefined;
  redirect(
    call.ctx,
    isDevice ? `${deviceActionV1Path}?authRequestID=${id}` : `${instance.issuer}${callbackV1Path}?id=${id}`,
  );
}

/** Shows the e-mail verification page to users with an unverified e-mail address; for all others calls `leave`. */
export async function continueLoginV1(
  login: LoginContext,
  session: Session,
  leave: (login: LoginContext, session: Session) => Promise<void>,
): Promise<void> {
  const user = login.instance.directory.byId(session.accountId);
  return user && mustVerifyMail(user) ? showMailVerification(login, user) : leave(login, session);
}

/** True when Login V1 requires an e-mail verification. */
export function mustVerifyMail({ email, emailVerified }: SandboxUser): boolean {
  return email !== undefined && !emailVerified;
}

/** Sends the login name page. */
export async function showLoginNameV1(login: LoginContext, error?: string): Promise<void> {
  const { call, instance, request } = login;
  const view = await createView(login, error);
  const organization = instance.directory.organizations.find(({ id }) => id === request.organizationId);
  const { loginName = '' } = call.form;
  answerHtml(
    call.ctx,
    loginNameV1Page(view, hiddenFields(login), { loginName, organization: organization?.name }),
  );
}

/** Sends the e-mail verification page. */
export async function showMailVerification(
  login: LoginContext,
  user: SandboxUser,
  error?: string,
): Promise<void> {
  const page = mailVerificationV1Page(
    await createView(login, error),
    hiddenFields(login),
    user,
    codeOf(user, 'e-mail'),
  );
  login.call.ctx.status = 200;
  answerHtml(login.call.ctx, page);
}
