import type { SandboxUser } from '../users.js';
import { escapeHtml } from './html.js';
import { page } from './layout.js';

export const loginPath = '/ui/v2/login/login';
export const loginV1Path = '/ui/login/login';

/** What the login page shows. */
export interface LoginView {
  authRequest: string;
  applicationName: string;
  people: SandboxUser[];
  /** prompt=create: people come to register */
  isRegistration: boolean;
  /** login names that are signed in in this browser already */
  signedIn: string[];
  loginHint?: string;
  /** the languages the application asked for */
  uiLocales?: string;
  error?: string;
}

/** The list of people to sign in as, and the form with a password. Works without JavaScript. */
export function loginPage(view: LoginView): string {
  const { isRegistration, applicationName } = view;
  const title = isRegistration ? 'Create an account' : 'Sign in';
  const explanation = isRegistration
    ? `The sandbox creates no accounts: take one of these people as the newcomer at “${applicationName}”.`
    : `Choose who you are at “${applicationName}”. One click, no password.`;
  return page(
    title,
    `<p>${escapeHtml(explanation)}</p>
${view.uiLocales === undefined ? '' : `<p>Asked for in <code>${escapeHtml(view.uiLocales)}</code>; the sandbox speaks English only.</p>`}
${view.error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(view.error)}</p>`}
<form method="post" action="${loginPath}" class="people">
<input type="hidden" name="authRequest" value="${escapeHtml(view.authRequest)}">
${hintedFirst(view)
  .map((user) => personButton(user, view.signedIn.includes(user.loginName)))
  .join('\n')}
</form>
${passwordForm(view)}`,
  );
}

function hintedFirst({ people, loginHint }: LoginView): SandboxUser[] {
  const isHinted = (user: SandboxUser): boolean => user.loginName === loginHint;
  return [...people.filter(isHinted), ...people.filter((user) => !isHinted(user))];
}

function personButton({ loginName, displayName, goodFor }: SandboxUser, isSignedIn: boolean): string {
  const note = isSignedIn ? `${goodFor} · signed in` : goodFor;
  return `<button type="submit" class="person" name="loginName" value="${escapeHtml(loginName)}">
<strong class="name">${escapeHtml(displayName)}</strong> <span>${escapeHtml(loginName)}</span> <span>${escapeHtml(note)}</span>
</button>`;
}

function passwordForm({ authRequest, loginHint }: LoginView): string {
  return `<h2>Or with a password</h2>
<form method="post" action="${loginPath}">
<input type="hidden" name="authRequest" value="${escapeHtml(authRequest)}">
<label for="loginName">Login name</label>
<input id="loginName" name="loginName" autocomplete="username" value="${escapeHtml(loginHint ?? '')}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<div class="actions"><button type="submit" class="main">Sign in</button>
<button type="submit" class="plain" name="cancel" value="true">Cancel</button></div>
</form>`;
}
