import { join } from 'node:path';
import type { Sandbox } from '../sandbox.js';

/** What to set and who to be, for the person who started the sandbox. */
export function banner(sandbox: Sandbox, webOrigin: string, keyFolder: string | undefined): string {
  const { issuer, loginOrigin, clients, users } = sandbox;
  const people = users.filter(({ kind }) => kind === 'human');
  const key = keyFolder === undefined ? [] : [`ZITADEL_API_KEY_FILE=${join(keyFolder, 'api-key.json')}`];
  const api = [`IDP_AUTHORITY=${issuer}`, ...key, `API_SWAGGER_CLIENT_ID=${clients.swagger.clientId}`];
  const width = Math.max(...people.map(({ loginName }) => loginName.length));
  const login = loginOrigin === issuer ? '' : `Login V2 on ${loginOrigin}\n`;
  return `Zitadel sandbox on ${issuer} (development and tests only; not Zitadel)
${login}
Environment of the web app:
  ZITADEL_DOMAIN=${issuer}
  ZITADEL_CLIENT_ID=${clients.web.clientId}
  ZITADEL_CALLBACK_URL=${webOrigin}/auth/callback
  ZITADEL_POST_LOGOUT_URL=${webOrigin}/auth/logout/callback
Environment of the API${keyFolder === undefined ? ' (its key: --key-folder DIR)' : ''}:
${api.map((line) => `  ${line}`).join('\n')}

Log in as (one click, or with the password ${passwordsOf(people)}):
${people.map(({ loginName, goodFor }) => `  ${loginName.padEnd(width)}  ${goodFor}`).join('\n')}

Stop with Ctrl+C.
`;
}

function passwordsOf(people: { password: string }[]): string {
  const passwords = [...new Set(people.map(({ password }) => password))];
  return passwords.length === 1 ? (passwords[0] ?? '') : 'of your list';
}
