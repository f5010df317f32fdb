import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import { page, withError } from './layout.js';

/** The view model of all login pages. */
export interface LoginView {
  people: PeopleView;
  /** the `ui_locales` of the authorization request */
  uiLocales?: string;
  error?: string;
}

/** A login page: Zitadel's form, and below it the sandbox's own list of users. `content` is HTML. */
export function loginPage(title: string, view: LoginView, content: string): string {
  const { people, uiLocales, error } = view;
  return page(
    title,
    `${withError(content, error)}
${uiLocales === undefined ? '' : `<section><p>Requested languages: <code>${escapeHtml(uiLocales)}</code>. The sandbox has English only.</p></section>`}
${people.authRequest === '' ? '' : peopleForm(people)}`,
  );
}

/** A form of a login page. `fields` are hidden inputs, `content` is HTML. */
export function loginForm(action: string, fields: Record<string, string>, content: string): string {
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<form method="post" action="${action}">\n${hidden.join('\n')}\n${content}\n</form>`;
}

/** A button for a user with a session in this browser. */
export function accountButton(name: string, value: string, displayName: string, loginName: string): string {
  return `<button type="submit" class="person" name="${name}" value="${escapeHtml(value)}">
<strong class="name">${escapeHtml(displayName)}</strong> <span>${escapeHtml(loginName)}</span>
</button>`;
}

/** The view model of the list of users. */
export interface PeopleView {
  /** the path that the form is posted to */
  action: string;
  /** empty: there is no sign-in to complete, and no list */
  authRequest: string;
  applicationName: string;
  people: SandboxUser[];
  /** login names with a session in this browser */
  signedIn: string[];
  loginHint?: string;
}

/** A form with a button per user, to sign in with one click. Zitadel has no such form. */
function peopleForm(view: PeopleView): string {
  return `<section><h2>Or sign in to “${escapeHtml(view.applicationName)}” with one click, without a password</h2>
<form method="post" action="${view.action}" class="people">
<input type="hidden" name="authRequest" value="${escapeHtml(view.authRequest)}">
${hintedPersonFirst(view)
  .map((user) => personButton(user, view.signedIn.includes(user.loginName)))
  .join('\n')}
<button type="submit" class="plain" name="cancel" value="true">Cancel</button>
</form></section>`;
}

function hintedPersonFirst({ people, loginHint }: PeopleView): SandboxUser[] {
  const isHinted = (user: SandboxUser): boolean => user.loginName === loginHint;
  return [...people.filter(isHinted), ...people.filter((user) => !isHinted(user))];
}

function personButton({ loginName, displayName, goodFor }: SandboxUser, isSignedIn: boolean): string {
  const note = isSignedIn ? `${goodFor} · signed in` : goodFor;
  return `<button type="submit" class="person" name="loginName" value="${escapeHtml(loginName)}">
<strong class="name">${escapeHtml(displayName)}</strong> <span>${escapeHtml(loginName)}</span> <span>${escapeHtml(note)}</span>
</button>`;
}
