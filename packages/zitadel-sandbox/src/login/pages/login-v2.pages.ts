import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import type { Session } from '../../storage/provider.js';
import { accountsPath, loginNamePath, oneTimeCodePath, passwordPath } from '../paths.js';
import { accountButton, loginForm, loginPage, type LoginView } from './login.page.js';

const submit = `<div class="actions"><button type="submit" class="main" data-testid="submit-button">Continue</button></div>`;

/** The login name page. */
export function loginNamePage(view: LoginView, requestId: string, loginName: string): string {
  return loginPage(
    'Welcome back!',
    view,
    loginForm(
      loginNamePath,
      { requestId },
      `<label for="loginName">Login name</label>
<input id="loginName" name="loginName" autocomplete="username" data-testid="username-text-input" value="${escapeHtml(loginName)}">
${submit}`,
    ),
  );
}

/** The password page. */
export function passwordPage(view: LoginView, requestId: string, loginName: string): string {
  return loginPage(
    'Password',
    view,
    loginForm(
      passwordPath,
      { requestId, loginName },
      `<p>${escapeHtml(loginName)}</p>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" data-testid="password-text-input">
${submit}`,
    ),
  );
}

/** The page of the second factor. The sandbox knows no authenticator apps: the page shows the code. */
export function oneTimeCodePage(view: LoginView, requestId: string, loginName: string, code: string): string {
  return loginPage(
    'Verify 2-Factor',
    view,
    `<p>An authenticator app would show the code: it is <code>${code}</code>.</p>
${loginForm(
  oneTimeCodePath,
  { requestId },
  `<p>${escapeHtml(loginName)}</p>
<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" data-testid="code-text-input">
${submit}`,
)}`,
  );
}

/** The account picker. */
export function accountsPage(
  view: LoginView,
  requestId: string,
  accounts: { session: Session; user: SandboxUser }[],
): string {
  const buttons = accounts.map(({ session, user }) =>
    accountButton('session', session.jti, user.displayName, user.loginName),
  );
  const query = new URLSearchParams({ requestId }).toString();
  return loginPage(
    'Accounts',
    view,
    `${loginForm(accountsPath, { requestId }, `<div class="people">${buttons.join('\n')}</div>`)}
<p class="actions"><a href="${loginNamePath}?${escapeHtml(query)}">Add another account</a></p>`,
  );
}
