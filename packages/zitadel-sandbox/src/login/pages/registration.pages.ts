import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import {
  activationV1Path,
  invitationV1Path,
  loginV1Path,
  registerPasswordPath,
  registerPath,
  registerV1Path,
  verifyPath,
} from '../paths.js';
import { loginNameField, type FormFields } from './login-v1.pages.js';
import { loginForm, loginPage, type LoginView } from './login.page.js';

/** What somebody has entered in the first form. */
export interface Registered {
  firstname: string;
  lastname: string;
  email: string;
}

const next = '<div class="actions"><button type="submit" class="main" id="submit-button">Next</button></div>';
const submit =
  '<div class="actions"><button type="submit" class="main" data-testid="submit-button">Continue</button></div>';

interface Input {
  name: string;
  label: string;
  type?: 'email' | 'password';
  value?: string;
  autocomplete: string;
  testId?: string;
}

const input = ({ name, label, type, value = '', autocomplete, testId }: Input): string =>
  `<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type ?? 'text'}" required autocomplete="${autocomplete}" value="${escapeHtml(value)}"${testId === undefined ? '' : ` data-testid="${testId}"`}>`;

const nameInputs = ({ firstname, lastname, email }: Registered): string =>
  [
    input({
      name: 'firstname',
      label: 'First name',
      value: firstname,
      autocomplete: 'given-name',
      testId: 'firstname-text-input',
    }),
    input({
      name: 'lastname',
      label: 'Last name',
      value: lastname,
      autocomplete: 'family-name',
      testId: 'lastname-text-input',
    }),
    input({
      name: 'email',
      label: 'E-Mail',
      type: 'email',
      value: email,
      autocomplete: 'email',
      testId: 'email-text-input',
    }),
  ].join('\n');

const newPassword = (name: string, label: string, testId?: string): string =>
  input({ name, label, type: 'password', autocomplete: 'new-password', ...(testId && { testId }) });

const codeInput = (value = ''): string =>
  input({ name: 'code', label: 'Code', value, autocomplete: 'one-time-code', testId: 'code-text-input' });

const codeOnPage = (email: string, code: string, link?: string): string =>
  `<section><p>Zitadel sends a code to ${escapeHtml(email)}. The sandbox sends no e-mail: the code is <code>${code}</code>${
    link === undefined ? '' : `, and <a href="${escapeHtml(link)}">this is the link</a>`
  }.</p></section>`;

/** Zitadel's default policy, which `passwordProblem` checks. */
const passwordPolicy = `<ul>
<li>Must be at least 8 characters long.</li>
<li>Must be less than 70 characters long.</li>
<li>Must include an uppercase letter.</li>
<li>Must include a lowercase letter.</li>
<li>Must include a number.</li>
<li>Must include a symbol.</li>
<li>Password confirmation matched.</li>
</ul>`;

const nextOrResend = `<div class="actions"><button type="submit" class="main" id="submit-button" name="resend" value="false">Next</button>
<button type="submit" class="plain" name="resend" value="true" formnovalidate>Resend Code</button></div>`;

const nameOf = (loginName: string): string => (loginName === '' ? '' : `<p>${escapeHtml(loginName)}</p>\n`);

/** A page for the code of an e-mail. `link` is that of the e-mail. */
interface MailedCode {
  user: SandboxUser;
  /** empty where Zitadel does not show it */
  loginName: string;
  /** as in the link, which fills it in */
  code: string;
  sent: string;
  link: string;
}

/** The registration page of Login V1. */
export function registrationV1Page(view: LoginView, fields: FormFields, entered: Registered): string {
  return loginPage(
    'Registration',
    view,
    `<p>Enter your Userdata. Your email address will be used as your login name.</p>
${loginForm(
  registerV1Path,
  { ...fields, language: 'en' },
  `${nameInputs(entered)}
${newPassword('register-password', 'Password')}
${newPassword('register-password-confirmation', 'Password confirmation')}
${passwordPolicy}
${next}`,
)}`,
  );
}

/** The page of Login V1 for the code that a registered person gets by e-mail. */
export function activationV1Page(view: LoginView, fields: FormFields, mailed: MailedCode): string {
  const { user, loginName, code, sent, link } = mailed;
  return loginPage(
    'Activate User',
    view,
    `${nameOf(loginName)}<p>Verify your e-mail with the code below and set your password.</p>
${codeOnPage(user.email ?? '', sent, link)}
${loginForm(
  activationV1Path,
  { ...fields, userID: user.id, passwordSet: 'true', orgID: user.home.id },
  `${loginNameField(loginName)}
${codeInput(code)}
${nextOrResend}`,
)}`,
  );
}

/** The page of Login V1 for the code of an invitation. */
export function invitationV1Page(view: LoginView, fields: FormFields, mailed: MailedCode): string {
  const { user, loginName, code, sent, link } = mailed;
  return loginPage(
    'Activate User',
    view,
    `${nameOf(loginName)}<p>Verify your e-mail with the code below and set your password.</p>
${codeOnPage(user.email ?? '', sent, link)}
${loginForm(
  invitationV1Path,
  { ...fields, userID: user.id, orgID: user.home.id },
  `${loginNameField(loginName)}
${codeInput(code)}
${newPassword('password', 'New Password')}
${newPassword('passwordconfirm', 'Confirm Password')}
${passwordPolicy}
${nextOrResend}`,
)}`,
  );
}

/** The last page of a registration at Login V1. */
export function activatedV1Page(
  view: LoginView,
  fields: FormFields,
  { loginName, orgID }: { loginName: string; orgID: string },
): string {
  return loginPage(
    'User Activated',
    view,
    `${nameOf(loginName)}<p>Email verified and Password successfully set</p>
${loginForm(
  loginV1Path,
  { ...fields, orgID },
  `${next}
<p><a href="${loginV1Path}">Cancel</a></p>`,
)}`,
  );
}

/** The first registration page of Login V2. */
export function registerPage(view: LoginView, requestId: string, entered: Registered): string {
  return loginPage(
    'Register',
    view,
    `<p>Create your ZITADEL account.</p>
${loginForm(registerPath, { requestId }, `${nameInputs(entered)}\n${submit}`)}`,
  );
}

/** The second registration page of Login V2. */
export function registerPasswordPage(view: LoginView, requestId: string, entered: Registered): string {
  return loginPage(
    'Set password',
    view,
    `<p>Set the password for your account.</p>
${loginForm(
  registerPasswordPath,
  { requestId, ...entered },
  `${newPassword('password', 'Password', 'password-text-input')}
${newPassword('confirmPassword', 'Confirm password', 'password-confirm-text-input')}
${submit}`,
)}`,
  );
}

/** The page of Login V2 for the code that a registered person gets by e-mail. */
export function verifyPage(view: LoginView, requestId: string, user: SandboxUser, code: string): string {
  return loginPage(
    'Verify user',
    view,
    `<p>Enter the Code provided in the verification email.</p>
${codeOnPage(user.email ?? '', code)}
${loginForm(verifyPath, { requestId, userId: user.id }, `${codeInput()}\n${submit}`)}`,
  );
}
