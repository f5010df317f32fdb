import { join } from 'node:path';
import type { Command } from './command-line.js';
import type { Sandbox } from '../sandbox.js';

/** The start message: environment variables for the applications, and the users. */
export function banner(sandbox: Sandbox, { webOrigin, keyFolder, options }: Command): string {
  const { issuer, loginOrigin, users } = sandbox;
  const people = users.filter(({ kind }) => kind === 'human');
  const width = Math.max(...people.map(({ loginName }) => loginName.length));
  const login = loginOrigin === issuer ? '' : `Login V2 listening on ${loginOrigin}\n`;
  return `Zitadel sandbox listening on ${issuer} (for development and tests; this is not Zitadel)
${login}
${options.empty ? nextCommand(sandbox, options.patFile) : variables(sandbox, webOrigin, keyFolder)}
Users to sign in as, with one click or with ${passwordHint(people)}:
${people.map(({ loginName, goodFor }) => `  ${loginName.padEnd(width)}  ${goodFor}`).join('\n')}

Press Ctrl+C to stop.
`;
}

function variables({ issuer, clients }: Sandbox, webOrigin: string, keyFolder: string | undefined): string {
  const key = keyFolder === undefined ? [] : [`ZITADEL_API_KEY_FILE=${join(keyFolder, 'api-key.json')}`];
  const api = [`IDP_AUTHORITY=${issuer}`, ...key, `API_SWAGGER_CLIENT_ID=${clients.swagger.clientId}`];
  const commands = clients.device
    ? `Environment variable of npm run token:\n  ZITADEL_CLI_CLIENT_ID=${clients.device.clientId}\n`
    : '';
  return `Environment variables of the web app:
  ZITADEL_DOMAIN=${issuer}
  ZITADEL_CLIENT_ID=${clients.web.clientId}
  ZITADEL_CALLBACK_URL=${webOrigin}/auth/callback
  ZITADEL_POST_LOGOUT_URL=${webOrigin}/auth/logout/callback
Environment variables of the API${keyFolder === undefined ? ' (for its key file, use --key-folder DIR)' : ''}:
${api.map((line) => `  ${line}`).join('\n')}
${commands}`;
}

function nextCommand({ issuer }: Sandbox, patFile = 'FILE'): string {
  return `There is no project yet. Make one with:
  npm run setup -- --issuer ${issuer} --pat-file ${patFile}
`;
}

function passwordHint(people: { password: string }[]): string {
  const passwords = [...new Set(people.map(({ password }) => password))];
  return passwords.length === 1 ? `the password ${passwords[0]}` : 'their own passwords';
}
