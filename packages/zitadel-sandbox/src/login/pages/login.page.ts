import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import { page } from './layout.js';

/** What all login pages show. */
export interface LoginView {
  people: PeopleView;
  /** the languages the application asked for */
  uiLocales?: string;
  error?: string;
}

/** One login page: what Zitadel's has, and the sandbox's own list of people below it. `content` is HTML. */
export function loginPage(title: string, view: LoginView, content: string): string {
  const { people, uiLocales, error } = view;
  return page(
    title,
    `${error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`}
${content}
${uiLocales === undefined ? '' : `<p>Asked for in <code>${escapeHtml(uiLocales)}</code>; the sandbox speaks English only.</p>`}
${peopleForm(people)}`,
  );
}

/** A form of a login page; `fields` are hidden ones, `content` is HTML. */
export function loginForm(action: string, fields: Record<string, string>, content: string): string {
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<form method="post" action="${action}">\n${hidden.join('\n')}\n${content}\n</form>`;
}

/** A button for one of the people of this browser. */
export function accountButton(name: string, value: string, displayName: string, loginName: string): string {
  return `<button type="submit" class="person" name="${name}" value="${escapeHtml(value)}">
<strong class="name">${escapeHtml(displayName)}</strong> <span>${escapeHtml(loginName)}</span>
</button>`;
}

/** The people of the sandbox, to sign in as one of them with one click. */
export interface PeopleView {
  /** the login page's path, which takes the choice */
  action: string;
  authRequest: string;
  applicationName: string;
  people: SandboxUser[];
  /** login names that are signed in in this browser already */
  signedIn: string[];
  loginHint?: string;
}

/** A form with a button for each person. It is the sandbox's own: no page of Zitadel has it. */
export function peopleForm(view: PeopleView): string {
  return `<h2>Or choose who you are at “${escapeHtml(view.applicationName)}”: one click, no password</h2>
<form method="post" action="${view.action}" class="people">
<input type="hidden" name="authRequest" value="${escapeHtml(view.authRequest)}">
${hintedFirst(view)
  .map((user) => personButton(user, view.signedIn.includes(user.loginName)))
  .join('\n')}
<button type="submit" class="plain" name="cancel" value="true">Cancel</button>
</form>`;
}

function hintedFirst({ people, loginHint }: PeopleView): SandboxUser[] {
  const isHinted = (user: SandboxUser): boolean => user.loginName === loginHint;
  return [...people.filter(isHinted), ...people.filter((user) => !isHinted(user))];
}

function personButton({ loginName, displayName, goodFor }: SandboxUser, isSignedIn: boolean): string {
  const note = isSignedIn ? `${goodFor} · signed in` : goodFor;
  return `<button type="submit" class="person" name="loginName" value="${escapeHtml(loginName)}">
<strong class="name">${escapeHtml(displayName)}</strong> <span>${escapeHtml(loginName)}</span> <span>${escapeHtml(note)}</span>
</button>`;
}
