import type { SandboxUser } from '../users.js';
import { escapeHtml } from './html.js';
import { page } from './layout.js';

export const logoutPath = '/ui/v2/login/logout';

/** The sessions of this browser; the person chooses which one to end. */
export function logoutPage(sessions: { sid: string; user: SandboxUser }[], logoutToken: string): string {
  const buttons = sessions.map(
    ({ sid, user }) => `<button type="submit" class="person" name="session" value="${escapeHtml(sid)}">
<strong class="name">${escapeHtml(user.displayName)}</strong> <span>${escapeHtml(user.loginName)}</span>
</button>`,
  );
  return page(
    'Sign out',
    `<p>${sessions.length === 0 ? 'Nobody is signed in in this browser.' : 'Choose the account to sign out of.'}</p>
<form method="post" action="${logoutPath}" class="people">
<input type="hidden" name="logout_token" value="${escapeHtml(logoutToken)}">
${buttons.join('\n')}
</form>`,
  );
}
