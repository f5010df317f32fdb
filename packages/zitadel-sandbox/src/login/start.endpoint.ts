import type { SandboxUser } from '../directory/users.js';
import { answerHtml, escapeHtml } from '../http/answers.js';
import { withQuery } from '../http/uris.js';
import type { Endpoint } from '../instance/instance.js';
import { messagePage, page } from './pages/layout.js';

/** `GET /ui/login` without an authorization request: the start page. */
export const start: Endpoint = ({ ctx }, { issuer, applications, directory }) => {
  answerHtml(
    ctx,
    startPage(
      issuer,
      directory.people,
      applications.all.find((one) => one.initiateLoginUri)?.initiateLoginUri,
    ),
  );
};

/** The start page of Zitadel's Console, where people end who have no sign-in to go on with. */
export const noConsole: Endpoint = ({ ctx }) => {
  answerHtml(ctx, messagePage('Console', 'The sandbox has no Console. Sign in at your application.'));
};

/** The start page. With `initiateLoginUri`, each user is a link to a third-party initiated login at the web app. */
function startPage(issuer: string, people: SandboxUser[], initiateLoginUri: string | undefined): string {
  const entries = people.map((user) => {
    const name = escapeHtml(user.loginName);
    const start =
      initiateLoginUri && withQuery(initiateLoginUri, { iss: issuer, login_hint: user.loginName });
    const label = start ? `<a href="${escapeHtml(start)}">${name}</a>` : `<b>${name}</b>`;
    return `<li>${label}: ${escapeHtml(user.goodFor)}</li>`;
  });
  return page(
    'The sandbox is running',
    `<p>Set <code>ZITADEL_DOMAIN=${escapeHtml(issuer)}</code> in your application and sign in as one of these users.</p>
<ul>${entries.join('')}</ul>`,
  );
}
