import { escapeHtml } from './html.js';
import { page } from './layout.js';
import { peopleForm, type PeopleView } from './people.form.js';

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
