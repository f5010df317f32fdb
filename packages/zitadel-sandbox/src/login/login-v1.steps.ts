import { createHmac, randomBytes } from 'node:crypto';
import type { SandboxUser } from '../directory/users.js';
import { answerHtml } from '../http/answers.js';
import type { Session } from '../storage/provider.js';
import { codeOf, createView, type LoginContext } from './login-context.js';
import { loginNameV1Page, mailVerificationV1Page, type FormFields } from './pages/login-v1.pages.js';

const formSecret = randomBytes(32);

/** The hidden fields of a Login V1 form for this login. */
export function hiddenFields({ id }: LoginContext): FormFields {
  return {
    authRequestID: id,
    'gorilla.csrf.Token': createHmac('sha256', formSecret).update(id).digest('base64'),
  };
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
