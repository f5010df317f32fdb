import { parseArgs } from 'node:util';
import { UsageError } from '../setup.error.js';

/** The options of `npm run setup`; undefined ones have not been given. */
export interface Command {
  issuer: string | undefined;
  patFile: string | undefined;
  keyFile: string | undefined;
  organization: string | undefined;
  /** undefined: that of the env file, or `nestjs-zitadel` */
  project: string | undefined;
  webOrigin: string | undefined;
  apiOrigin: string | undefined;
  roles: string[];
  grants: { loginName: string; role: string }[];
  backChannel: boolean;
  events: string | undefined;
  envFile: string;
  isDryRun: boolean;
  isJson: boolean;
  isYes: boolean;
}

export const usage = `Makes or mends in your Zitadel what this application needs, and writes .env and the key file of the API.

  npm run setup -- --issuer https://my.zitadel.example --pat-file admin.pat

  --issuer URL          address of your Zitadel (default: that of the env file)
  --pat-file FILE       file with a personal access token of a service user with ORG_OWNER, or with PROJECT_OWNER
                        of an existing project
  --key-file FILE       instead: the key file of that service user
  --organization NAME   organization of the project (default: that of the service user)
  --project NAME        project, made if there is none of that name (default: that of IDP_PROJECT_ID in the env
                        file, or nestjs-zitadel)
  --web-origin ORIGIN   origin of the web application (default: that of the env file, or http://localhost:3000)
  --api-origin ORIGIN   origin of the API (default: that of the env file, or http://localhost:3001)
  --roles ROLE,ROLE     roles of the project (default: admin)
  --grant LOGIN=ROLE    gives a role to a person, by login name; repeatable
  --back-channel        registers the address for back-channel logout, which Zitadel has to be able to reach
  --events URL          makes Zitadel send events to this address of the web application, such as
                        https://app.example.com (with the path /auth/zitadel-events where it has none); needs IAM_OWNER
  --env-file FILE       file to write instead of .env; the key file is written beside it
  --dry-run             only shows what would be done
  --json                writes one JSON document to standard output, everything else to standard error
  --yes                 does not ask
  --help                shows this help

Exit status: 0 done, 1 failed, 2 wrong use.
`;

/** @throws `UsageError` with one sentence */
export function readCommandLine(args: string[]): Command | 'help' {
  if (args.includes('--help')) return 'help';
  const values = parse(args);
  if (values['pat-file'] !== undefined && values['key-file'] !== undefined)
    throw new UsageError('--pat-file and --key-file: give one of them');
  const grants = (values.grant ?? []).map(grantFrom);
  const roles = rolesFrom(values.roles ?? ['admin']);
  return {
    issuer: optional(values.issuer, issuerFrom),
    patFile: values['pat-file'],
    keyFile: values['key-file'],
    organization: optional(values.organization, (name) => nameFrom('--organization', name)),
    project: optional(values.project, (name) => nameFrom('--project', name)),
    webOrigin: optional(values['web-origin'], (origin) => originFrom('--web-origin', origin)),
    apiOrigin: optional(values['api-origin'], (origin) => originFrom('--api-origin', origin)),
    roles: [...new Set([...roles, ...grants.map(({ role }) => role)])],
    grants,
    backChannel: values['back-channel'] ?? false,
    events: optional(values.events, eventsFrom),
    envFile: values['env-file'] ?? '.env',
    isDryRun: values['dry-run'] ?? false,
    isJson: values.json ?? false,
    isYes: values.yes ?? false,
  };
}

function parse(args: string[]): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(args);
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ');
    throw new UsageError(`${sentence}. See --help`, { cause: error });
  }
}

function parseOptions(args: string[]) {
  return parseArgs({
    args,
    options: {
      issuer: { type: 'string' },
      'pat-file': { type: 'string' },
      'key-file': { type: 'string' },
      organization: { type: 'string' },
      project: { type: 'string' },
      'web-origin': { type: 'string' },
      'api-origin': { type: 'string' },
      roles: { type: 'string', multiple: true },
      grant: { type: 'string', multiple: true },
      'back-channel': { type: 'boolean' },
      events: { type: 'string' },
      'env-file': { type: 'string' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
      yes: { type: 'boolean' },
    },
  }).values;
}

const optional = <Value>(value: string | undefined, read: (value: string) => Value) =>
  value === undefined ? undefined : read(value);

/** @throws `UsageError` for anything but an address without a path */
export function issuerFrom(value: string): string {
  return originFrom('--issuer', value.trim());
}

const EXAMPLES: Record<string, string> = { '--issuer': 'https://my.zitadel.example' };

export function originFrom(option: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isOrigin =
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    !url.search &&
    !url.hash &&
    !url.username;
  if (isOrigin) return url.origin;
  throw new UsageError(
    `${option}: expected an address that begins with http:// or https:// and has no path, such as ${EXAMPLES[option] ?? 'http://localhost:3000'}`,
  );
}

function eventsFrom(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password)
    return url.href;
  throw new UsageError('--events: expected an address such as https://app.example.com');
}

const MAX_LENGTH = 200;

function nameFrom(option: string, value: string): string {
  const name = value.trim();
  if (name !== '' && name.length <= MAX_LENGTH) return name;
  throw new UsageError(`${option}: expected a name of 1 to ${MAX_LENGTH} characters`);
}

function rolesFrom(lists: string[]): string[] {
  const roles = lists.flatMap((list) => list.split(',').map((role) => role.trim()));
  return roles.map((role) => nameFrom('--roles', role));
}

// a login name may have a =, and the keys of roles rarely do
function grantFrom(value: string): { loginName: string; role: string } {
  const [, loginName = '', role = ''] = /^(.+)=([^=]+)$/.exec(value) ?? [];
  if (loginName.trim() !== '' && role.trim() !== '')
    return { loginName: loginName.trim(), role: role.trim() };
  throw new UsageError('--grant: expected a login name and a role, such as you@example.com=admin');
}
