import type { SandboxUser } from '../users.js';
import { escapeHtml } from './html.js';

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
