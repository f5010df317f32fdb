import type { SandboxUser } from '../users.js';
import { page } from './layout.js';
import { accountButton, loginForm } from './login.page.js';
import { logoutPath } from './paths.js';

/** The sessions of this browser; the person chooses which one to end. Without any there is no way on or back. */
export function logoutPage(sessions: { sid: string; user: SandboxUser }[], logoutToken: string): string {
  if (sessions.length === 0) return page('Logout', '<p>No accounts found</p>');
  const buttons = sessions.map(({ sid, user }) =>
    accountButton('session', sid, user.displayName, user.loginName),
  );
  return page(
    'Logout',
    `<p>Choose the account to sign out of.</p>
${loginForm(logoutPath, { logout_token: logoutToken }, `<div class="people">${buttons.join('\n')}</div>`)}`,
  );
}
