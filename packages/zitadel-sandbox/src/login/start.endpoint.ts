import type { SandboxUser } from '../directory/users.js';
import { answerHtml, escapeHtml } from '../http/answers.js';
import { withQuery } from '../http/uris.js';
import type { Endpoint } from '../instance/instance.js';
import { page } from './pages/layout.js';

/** `GET /`: says what this is, for people who open the address in a browser. */
export const start: Endpoint = ({ ctx }, { issuer, applications, directory }) => {
  answerHtml(ctx, startPage(issuer, directory.people, applications.web.initiateLoginUri));
};

/** What the sandbox is and who can sign in; with `initiateLoginUri` each of them starts a login at the web app. */
export function startPage(
  issuer: string,
  people: SandboxUser[],
  initiateLoginUri: string | undefined,
): string {
  const entries = people.map((user) => {
    const name = escapeHtml(user.loginName);
    const start =
      initiateLoginUri && withQuery(initiateLoginUri, { iss: issuer, login_hint: user.loginName });
    const label = start ? `<a href="${escapeHtml(start)}">${name}</a>` : `<b>${name}</b>`;
    return `<li>${label}: ${escapeHtml(user.goodFor)}</li>`;
  });
  return page(
    'It is running',
    `<p>Set <code>ZITADEL_DOMAIN=${escapeHtml(issuer)}</code> in your application and sign in as one of these.</p>
<ul>${entries.join('')}</ul>`,
  );
}
