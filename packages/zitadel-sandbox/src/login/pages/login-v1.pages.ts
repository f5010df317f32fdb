import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import {
  mailVerificationV1Path,
  loginNameV1Path,
  oneTimeCodeV1Path,
  passwordV1Path,
  userSelectionV1Path,
} from '../paths.js';
import { accountButton, loginForm, loginPage, type LoginView } from './login.page.js';

const next = '<div class="actions"><button type="submit" class="main" id="submit-button">Next</button></div>';

/** The hidden fields of each Login V1 form. */
export interface FormFields {
  'gorilla.csrf.Token': string;
  authRequestID: string;
}

/** The login name for a password manager, which Zitadel hides by a style. */
export const loginNameField = (loginName: string): string =>
  `<input type="text" name="loginName" value="${escapeHtml(loginName)}" autocomplete="username" hidden>`;

/** The login name page; `organization` is the name of the organization that the login is limited to. */
export function loginNameV1Page(
  view: LoginView,
  fields: FormFields,
  { loginName = '', organization }: { loginName?: string; organization?: string | undefined } = {},
): string {
  const restriction =
    organization === undefined
      ? ''
      : `<p>The user must be a member of the ${escapeHtml(organization)} organization.</p>`;
  return loginPage(
    'Welcome Back!',
    view,
    `<p>Enter your login details.</p>
${restriction}
${loginForm(
  loginNameV1Path,
  { ...fields },
  `<label for="loginName">Login Name</label>
<input id="loginName" name="loginName" autocomplete="username" value="${escapeHtml(loginName)}">
${next}
<div class="actions"><button type="submit" class="plain" name="register" value="true">Register</button></div>`,
)}`,
  );
}

/** The password page. */
export function passwordV1Page(view: LoginView, fields: FormFields, loginName: string): string {
  return loginPage(
    'Password',
    view,
    `<p>Enter your login details.</p>
${loginForm(
  passwordV1Path,
  { ...fields },
  `${loginNameField(loginName)}
<p>${escapeHtml(loginName)}</p>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
${next}`,
)}`,
  );
}

/** The page of the second factor. The sandbox knows no authenticator apps: the page shows the code. */
export function oneTimeCodeV1Page(
  view: LoginView,
  fields: FormFields,
  loginName: string,
  code: string,
): string {
  return loginPage(
    'Verify 2-Factor',
    view,
    `<p>Verify your second factor.</p>
<section><p>An authenticator app would show the code: it is <code>${code}</code>.</p></section>
${loginForm(
  oneTimeCodeV1Path,
  { ...fields, mfaType: '0' },
  `<p>${escapeHtml(loginName)}</p>
<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code">
${next}`,
)}`,
  );
}

/** The account picker. */
export function userSelectionV1Page(view: LoginView, fields: FormFields, users: SandboxUser[]): string {
  const buttons = users.map(({ id, displayName, loginName }) =>
    accountButton('userselection', id, displayName, loginName),
  );
  return loginPage(
    'Select Account',
    view,
    `<p>Use your account</p>
${loginForm(
  userSelectionV1Path,
  { ...fields },
  `<div class="people">${buttons.join('\n')}</div>
<div class="actions"><button type="submit" class="plain" name="userselection" value="0">Other User</button></div>`,
)}`,
  );
}

/** The e-mail verification page. The sandbox sends no e-mail: the page shows the code. */
export function mailVerificationV1Page(
  view: LoginView,
  fields: FormFields,
  user: SandboxUser,
  code: string,
): string {
  return loginPage(
    'E-Mail Verification',
    view,
    `<section><p>Zitadel has sent a code to ${escapeHtml(user.email ?? '')}. The sandbox sends no e-mail: the code is <code>${code}</code>.</p></section>
${loginForm(
  mailVerificationV1Path,
  { ...fields, userID: user.id },
  `<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code">
${next}`,
)}`,
  );
}
