import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readUsers } from '../directory/user-file.js';
import type { UserSpec } from '../directory/users.js';
import { loginOriginFrom, isLoopbackUri } from '../http/uris.js';
import type { SandboxOptions } from '../instance/sandbox.options.js';

/** What was asked for on the command line. */
export interface Command {
  quiet: boolean;
  /** origin of the web app that the printed environment is for */
  webOrigin: string;
  /** where to write the key files */
  keyFolder: string | undefined;
  options: SandboxOptions;
}

const defaultPort = 8080;
const defaultWebOrigin = 'http://localhost:3000';
const defaultApiOrigin = 'http://localhost:3001';

export const usage = `Zitadel sandbox: a stand-in for Zitadel on this machine, for development and tests only.

  --port PORT                     port to listen on (default ${defaultPort}; 0 takes a free one)
  --users FILE                    a JSON list of users instead of the usual people
  --access-token-ttl SECONDS      lifetime of access tokens (default 43200)
  --access-token-type TYPE        opaque (default) or jwt
  --web-origin URL                origin of your web app (default ${defaultWebOrigin}); may be given several
                                  times, back-channel logout and logins started here go to the first
  --api-origin URL                origin of your API, whose Swagger UI logs in here
                                  (default ${defaultApiOrigin})
  --login-origin URL              an origin of its own for Login V2, such as http://127.0.0.1:8081
  --login-version VERSION         2 (default): Login V2 for everybody; 1: Login V1
  --key-folder DIR                write api-key.json and service-user-key.json there
  --quiet                         print nothing when started
  --help                          this text
`;

/**
 * The command behind these arguments; `help` wins over everything beside it, what is wrong included.
 *
 * @throws Error with one sentence about the argument, or all problems of the list of users
 */
export async function readCommandLine(args: string[]): Promise<Command | 'help'> {
  if (args.includes('--help')) return 'help';
  const values = parse(args);
  const origins = (values['web-origin'] ?? [defaultWebOrigin]).map((value) =>
    originFrom('--web-origin', value),
  );
  const webOrigin = origins[0] ?? defaultWebOrigin;
  const loginVersion = loginVersionFrom(values['login-version'] ?? '2');
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
        accessTokenType: accessTokenType(values['access-token-type'] ?? 'opaque'),
        loginVersion,
      },
      second: { loginVersion },
      swagger: { redirectUris: [`${apiOrigin}/api/oauth2-redirect.html`], loginVersion },
      ...(values['login-origin'] !== undefined && { loginOrigin: loginOrigin(values['login-origin']) }),
      ...(values['access-token-ttl'] !== undefined && {
        accessTokenTtlSeconds: wholeNumber('--access-token-ttl', values['access-token-ttl'], 2 ** 31),
      }),
      ...(values.users !== undefined && { users: await usersFrom(values.users) }),
    },
  };
}

function parse(args: string[]): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(args);
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ');
    throw new Error(`${sentence}. Try --help.`, { cause: error });
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
      'api-origin': { type: 'string' },
      'login-origin': { type: 'string' },
      'login-version': { type: 'string' },
      'key-folder': { type: 'string' },
      quiet: { type: 'boolean' },
    },
  }).values;
}

function wholeNumber(option: string, value: string, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > max)
    throw new Error(`${option}: expected a whole number up to ${max}`);
  return number;
}

function accessTokenType(value: string): 'opaque' | 'jwt' {
  if (value === 'opaque' || value === 'jwt') return value;
  throw new Error('--access-token-type: expected opaque or jwt');
}

function loginVersionFrom(value: string): 1 | 2 {
  if (value === '1' || value === '2') return value === '1' ? 1 : 2;
  throw new Error('--login-version: expected 1 or 2');
}

function loginOrigin(value: string): string {
  try {
    return loginOriginFrom(value).origin;
  } catch {
    throw new Error('--login-origin: expected an origin of this machine such as http://127.0.0.1:8081');
  }
}

function originFrom(option: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && !url.search)
    return url.origin;
  throw new Error(`${option}: expected an origin such as http://localhost:3000`);
}

async function usersFrom(file: string): Promise<UserSpec[]> {
  const content = await readFile(file, 'utf8').catch(() => {
    throw new Error(`--users: cannot read ${file}`);
  });
  let document: unknown;
  try {
    // some editors write a byte order mark
    document = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch {
    throw new Error(`--users: ${file} is not JSON`);
  }
  return readUsers(document);
}
