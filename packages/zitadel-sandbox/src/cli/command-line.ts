import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readUsers } from '../directory/user-file.js';
import type { UserSpec } from '../directory/users.js';
import { parseLoginOrigin, isLoopbackUri } from '../http/uris.js';
import type { SandboxOptions } from '../instance/sandbox.options.js';

/** The parsed command line. */
export interface Command {
  quiet: boolean;
  /** origin of the web app, for the printed environment variables */
  webOrigin: string;
  /** folder for the key files */
  keyFolder: string | undefined;
  options: SandboxOptions;
}

const defaultPort = 8080;
const defaultWebOrigin = 'http://localhost:3000';
const defaultApiOrigin = 'http://localhost:3001';

export const usage = `Zitadel sandbox: an OpenID provider that behaves as Zitadel does, for development and tests on this machine.

  --port PORT                     port to listen on (default ${defaultPort}; 0: a free port)
  --users FILE                    JSON file with a list of users (default: four people, one service user)
  --access-token-ttl SECONDS      lifetime of access tokens in seconds (default 43200)
  --access-token-type TYPE        format of access tokens: opaque (default) or jwt
  --web-origin URL                origin of the web app (default ${defaultWebOrigin}); repeatable: the
                                  first gets back-channel logout and third-party initiated logins
  --base-path PATH                path of the web app on its origin, such as /base (default none)
  --api-origin URL                origin of the API, for the redirect URI of its Swagger UI
                                  (default ${defaultApiOrigin})
  --login-origin URL              separate origin for Login V2, such as http://127.0.0.1:8081
  --no-login-pages                serve no pages of Login V2, as a Zitadel without its login application: people sign in
                                  through the session API
  --login-version VERSION         login UI of all applications: 2 (default) or 1
  --key-folder DIR                folder to write api-key.json, service-user-key.json and
                                  personal-access-token to
  --empty                         start with no project, no application and no authorization, for npm run setup:
                                  with the people of --users and a service user with the role IAM_OWNER
  --pat-file FILE                 write the personal access token of that service user to FILE
  --back-channel-denied           refuse back-channel logout to this machine, as Zitadel does as shipped
  --quiet                         do not print the start message
  --help                          show this help
`;

/**
 * Parses the arguments. `--help` takes precedence over all others, including invalid ones.
 *
 * @throws Error with one sentence about the argument; UserFileError for the list of users
 */
export async function readCommandLine(args: string[]): Promise<Command | 'help'> {
  if (args.includes('--help')) return 'help';
  const values = parse(args);
  const basePath = pathFrom('--base-path', values['base-path'] ?? '');
  const origins = (values['web-origin'] ?? [defaultWebOrigin]).map(
    (value) => originFrom('--web-origin', value) + basePath,
  );
  const webOrigin = origins[0] ?? defaultWebOrigin;
  const loginVersion = oneOf('--login-version', ['1', '2'], values['login-version'] ?? '2') === '1' ? 1 : 2;
  const apiOrigin = originFrom('--api-origin', values['api-origin'] ?? defaultApiOrigin);
  return {
    quiet: values.quiet ?? false,
    webOrigin,
    keyFolder: values['key-folder'],
    options: {
      port: wholeNumber('--port', values.port ?? String(defaultPort), 65535),
      web: {
        redirectUris: origins.flatMap((origin) => [
          `${origin}/auth/callback`,
          `${origin}/auth/callback/zitadel`,
        ]),
        postLogoutRedirectUris: origins.map((origin) => `${origin}/auth/logout/callback`),
        ...(isLoopbackUri(webOrigin) && { backChannelLogoutUri: `${webOrigin}/auth/backchannel-logout` }),
        initiateLoginUri: `${webOrigin}/auth/initiate`,
        accessTokenType: oneOf(
          '--access-token-type',
          ['opaque', 'jwt'],
          values['access-token-type'] ?? 'opaque',
        ),
        loginVersion,
      },
      second: { loginVersion },
      device: { loginVersion },
      swagger: { redirectUris: [`${apiOrigin}/api/oauth2-redirect.html`], loginVersion },
      ...(values['login-origin'] !== undefined && { loginOrigin: loginOrigin(values['login-origin']) }),
      ...(values['access-token-ttl'] !== undefined && {
        accessTokenTtlSeconds: wholeNumber('--access-token-ttl', values['access-token-ttl'], 2 ** 31),
      }),
      hasLoginPages: !values['no-login-pages'],
      empty: values.empty ?? false,
      backChannelDenied: values['back-channel-denied'] ?? false,
      ...(values['pat-file'] !== undefined && { patFile: values['pat-file'] }),
      ...(values.users !== undefined && { users: await usersFrom(values.users) }),
    },
  };
}

function parse(args: string[]): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(args);
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ');
    throw new Error(`${sentence}. See --help.`, { cause: error });
  }
}

function parseOptions(args: string[]) {
  return parseArgs({
    args,
    options: {
      port: { type: 'string' },
      users: { type: 'string' },
      'access-token-ttl': { type: 'string' },
      'access-token-type': { type: 'string' },
      'web-origin': { type: 'string', multiple: true },
      'base-path': { type: 'string' },
      'api-origin': { type: 'string' },
      'login-origin': { type: 'string' },
      'no-login-pages': { type: 'boolean' },
      'login-version': { type: 'string' },
      'key-folder': { type: 'string' },
      empty: { type: 'boolean' },
      'pat-file': { type: 'string' },
      'back-channel-denied': { type: 'boolean' },
      quiet: { type: 'boolean' },
    },
  }).values;
}

function wholeNumber(option: string, value: string, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > max)
    throw new Error(`${option}: expected an integer from 0 to ${max}`);
  return number;
}

function oneOf<Word extends string>(option: string, words: Word[], value: string): Word {
  const word = words.find((one) => one === value);
  if (word) return word;
  throw new Error(`${option}: expected ${words.join(' or ')}`);
}

function loginOrigin(value: string): string {
  try {
    return parseLoginOrigin(value).origin;
  } catch {
    throw new Error(
      '--login-origin: expected an http origin on a loopback address, such as http://127.0.0.1:8081',
    );
  }
}

function originFrom(option: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && !url.search)
    return url.origin;
  throw new Error(`${option}: expected an origin, such as http://localhost:3000`);
}

function pathFrom(option: string, value: string): string {
  if (/^(\/[\w.~-]+)*$/.test(value)) return value;
  throw new Error(`${option}: expected a path, such as /base`);
}

async function usersFrom(file: string): Promise<UserSpec[]> {
  const content = await readFile(file, 'utf8').catch(() => {
    throw new Error(`--users: cannot read ${file}`);
  });
  let document: unknown;
  try {
    // some editors write a byte order mark, which JSON.parse rejects
    document = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch {
    throw new Error(`--users: ${file} is not valid JSON`);
  }
  return readUsers(document);
}
