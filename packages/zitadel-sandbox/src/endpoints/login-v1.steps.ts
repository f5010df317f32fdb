import { createHmac, randomBytes } from 'node:crypto';
import { answerHtml } from '../html-answer.js';
import { idFor } from '../ids.js';
import { loginNameV1Page, mailVerificationV1Page, type FormFields } from '../pages/login-v1.pages.js';
import type { Session } from '../provider.js';
import type { SandboxUser } from '../users.js';
import { viewOf, type LoginVisit } from './login-visit.js';

const mailCodeLength = 6;
const formSecret = randomBytes(32);

/** The hidden fields of a form of Login V1 for this visit. */
export function fieldsOf({ id }: LoginVisit): FormFields {
  return {
    authRequestID: id,
    'gorilla.csrf.Token': createHmac('sha256', formSecret).update(id).digest('base64'),
  };
}

/** Stops people whose e-mail is not verified; `leave` brings all others on. */
export async function goOnV1(
  visit: LoginVisit,
  session: Session,
  leave: (visit: LoginVisit, session: Session) => Promise<void>,
): Promise<void> {
  const user = visit.realm.directory.byId(session.accountId);
  return user && mustVerifyMail(user) ? showMailVerification(visit, user) : leave(visit, session);
}

/** True for people whom Login V1 stops. */
export function mustVerifyMail({ email, emailVerified }: SandboxUser): boolean {
  return email !== undefined && !emailVerified;
}

/** The page for the login name. */
export async function showLoginNameV1(visit: LoginVisit, error?: string): Promise<void> {
  const { call, realm, request } = visit;
  const view = await viewOf(visit, error);
  const organization = realm.directory.organizations.find(({ id }) => id === request.organizationId);
  const { loginName = '' } = call.form;
  answerHtml(
    call.ctx,
    loginNameV1Page(view, fieldsOf(visit), { loginName, organization: organization?.name }),
  );
}

/** The page that people whose e-mail is not verified do not get past. */
export async function showMailVerification(
  visit: LoginVisit,
  user: SandboxUser,
  error?: string,
): Promise<void> {
  const page = mailVerificationV1Page(await viewOf(visit, error), fieldsOf(visit), user, mailCodeOf(user));
  visit.call.ctx.status = 200;
  answerHtml(visit.call.ctx, page);
}

/** The code that Zitadel would have sent by mail. */
export function mailCodeOf({ id }: SandboxUser): string {
  return idFor(`e-mail code of ${id}`).slice(-mailCodeLength);
}
