import { createHmac, randomBytes } from 'node:crypto';
import type { SandboxUser } from '../directory/users.js';
import { answerHtml } from '../http/answers.js';
import { idFor } from '../storage/ids.js';
import type { Session } from '../storage/provider.js';
import { viewOf, type LoginContext } from './login-context.js';
import { loginNameV1Page, mailVerificationV1Page, type FormFields } from './pages/login-v1.pages.js';

const mailCodeLength = 6;
const formSecret = randomBytes(32);

/** The hidden fields of a form of Login V1 for this login. */
export function fieldsOf({ id }: LoginContext): FormFields {
  return {
    authRequestID: id,
    'gorilla.csrf.Token': createHmac('sha256', formSecret).update(id).digest('base64'),
  };
}

/** Stops people whose e-mail is not verified; `leave` brings all others on. */
export async function goOnV1(
  login: LoginContext,
  session: Session,
  leave: (login: LoginContext, session: Session) => Promise<void>,
): Promise<void> {
  const user = login.instance.directory.byId(session.accountId);
  return user && mustVerifyMail(user) ? showMailVerification(login, user) : leave(login, session);
}

/** True for people whom Login V1 stops. */
export function mustVerifyMail({ email, emailVerified }: SandboxUser): boolean {
  return email !== undefined && !emailVerified;
}

/** The page for the login name. */
export async function showLoginNameV1(login: LoginContext, error?: string): Promise<void> {
  const { call, instance, request } = login;
  const view = await viewOf(login, error);
  const organization = instance.directory.organizations.find(({ id }) => id === request.organizationId);
  const { loginName = '' } = call.form;
  answerHtml(
    call.ctx,
    loginNameV1Page(view, fieldsOf(login), { loginName, organization: organization?.name }),
  );
}

/** The page that people whose e-mail is not verified do not get past. */
export async function showMailVerification(
  login: LoginContext,
  user: SandboxUser,
  error?: string,
): Promise<void> {
  const page = mailVerificationV1Page(await viewOf(login, error), fieldsOf(login), user, mailCodeOf(user));
  login.call.ctx.status = 200;
  answerHtml(login.call.ctx, page);
}

/** The code that Zitadel would have sent by mail. */
export function mailCodeOf({ id }: SandboxUser): string {
  return idFor(`e-mail code of ${id}`).slice(-mailCodeLength);
}
