// `npm run doctor`: checks the configuration and the set-up in Zitadel with requests that need no user (docs/doctor.md).
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { ConfigError, loadEnvFile } from '@mridang/nestjs-program';
import { apiPort, examine, explainToken, serviceKeyFrom, webPort } from '@mridang/nestjs-zitadel';
import { zitadelOptions } from '../build/auth/zitadel-options.js';
import { readApiEnv } from '../build/config/api-env.js';
import { readEnv } from '../build/config/env.js';
import { variableNames } from '../build/config/variable-names.js';
import { doctorLines } from './doctor-lines.mjs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const usage = `npm run doctor -- [token] [options]

  token                reads an access token from standard input and says why the API takes or refuses it
  --env-file FILE      another file than .env
  --service-key FILE   key file of a service user: shows whether the API application is in the project
  --fix                runs npm run setup where it makes right what is wrong; with --pat-file FILE or --key-file FILE,
                       and as needed --organization NAME and --project NAME
  --json               one document on standard output
  --help               this text

Exit status: 0 nothing is wrong (token: accepted), 1 something is, 2 wrong use.`;

/** Valid values that replace refused variables. */
const standIns = {
  SESSION_SECRET: randomBytes(32).toString('hex'),
  SESSION_SALT: 'salt',
  ZITADEL_CLIENT_ID: '-',
};

const { args, isToken } = commandLine();
const source = { ...process.env };
const fileProblems = problemsOf(() => loadEnvFile(source, variableNames, args['env-file']));
const hasKey = Boolean(source.ZITADEL_API_KEY_FILE || source.IDP_AUTHORIZATION_PROFILE_KEY);
if (!source.ZITADEL_DOMAIN && !existsSync(args['env-file'] ?? '.env'))
  console.error('There is no .env: npm run setup makes one (README).\n');
if (isToken) await tellAboutToken();
else {
  const checks = await examine(patient());
  if (args.fix && isFixable(checks)) fix();
  if (args.fix && checks.some(({ status }) => status === 'wrong'))
    console.error('npm run setup cannot repair this: correct the variables below yourself.\n');
  tell(checks);
}

/** Whether what is wrong is in Zitadel, or a variable that npm run setup writes. */
function isFixable(checks) {
  const wrong = checks.filter(({ status }) => status === 'wrong');
  const isOwn = ({ setting }) =>
    /^(ZITADEL_(CLIENT|CALLBACK|POST_LOGOUT|API_KEY)|SESSION_S|IDP_(PROJECT|AUTHORI)|APP?_?PORT)/.test(
      setting ?? '',
    );
  return wrong.some(isOwn) && !wrong.some(({ setting }) => setting === 'ZITADEL_DOMAIN');
}

/** Setup ends with the report of this program. */
function fix() {
  const passedOn = ['pat-file', 'key-file', 'organization', 'project', 'env-file'].flatMap((name) =>
    args[name] === undefined ? [] : [`--${name}`, args[name]],
  );
  const setup = ['--', 'scripts/setup.mjs', '--yes', ...passedOn, ...(args.json ? ['--json'] : [])];
  const { status } = spawnSync(process.execPath, setup, { stdio: 'inherit' });
  process.exit(status ?? 1);
}

function patient() {
  const web = read(readEnv, source);
  const api = hasKey ? read(readApiEnv, source) : { problems: [] };
  const problems = [...fileProblems, ...web.problems, ...api.problems];
  const isRefused = (...variables) => problems.some(({ variable }) => variables.includes(variable));
  return {
    problems: problems.filter(
      ({ variable }, index) => problems.findIndex((other) => other.variable === variable) === index,
    ),
    web:
      web.env && !isRefused('ZITADEL_DOMAIN')
        ? { ...zitadelOptions(web.env, {}), checkAtStart: false }
        : undefined,
    api: api.env && !isRefused('IDP_AUTHORITY', 'ZITADEL_DOMAIN') ? apiSettings(api.env) : undefined,
    redisUrl: isRefused('REDIS_URL') ? undefined : web.env?.redisUrl,
    ports: [
      ...(web.env ? [webPort(web.env.port, web.env.basePath)] : []),
      ...(api.env ? [apiPort(api.env.port)] : []),
    ],
    node: { version: process.version, wanted: engines.node },
    serviceKey: args['service-key'] === undefined ? undefined : serviceKey(args['service-key']),
  };
}

/** Reads the configuration as the program does; refused variables are replaced, so that the others can be checked. */
function read(readFrom, given) {
  let env;
  const problems = problemsOf(() => (env = readFrom(given)));
  if (problems.length > 0) {
    const replaced = Object.fromEntries(problems.map(({ variable }) => [variable, standIns[variable] ?? '']));
    problemsOf(() => (env = readFrom({ ...given, ...replaced })));
  }
  return { env, problems };
}

function problemsOf(work) {
  try {
    work();
    return [];
  } catch (error) {
    if (error.code === 'EISDIR' || error.code === 'EACCES')
      fail(`--env-file: ${error.path ?? args['env-file']} cannot be read`);
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

function apiSettings({ zitadel, key, projectId, accepts }) {
  const keySetting = source.ZITADEL_API_KEY_FILE ? 'ZITADEL_API_KEY_FILE' : 'IDP_AUTHORIZATION_PROFILE_KEY';
  return { ...zitadel, key, projectId, accepts, keySetting };
}

function tell(checks) {
  console.log(args.json ? JSON.stringify({ checks }, null, 2) : doctorLines(checks, process.stdout));
  process.exit(checks.some(({ status }) => status === 'wrong') ? 1 : 0);
}

async function tellAboutToken() {
  if (!hasKey) fail('The API needs its key for this: set ZITADEL_API_KEY_FILE (docs/configuration.md).');
  const { env, problems } = read(readApiEnv, source);
  if (!env || problems.length > 0)
    fail(problems.map(({ variable, expected }) => `${variable}: expected ${expected}`).join('\n'));
  if (process.stdin.isTTY) console.error('Paste the access token, then press Ctrl+D:');
  const report = await explainToken(await text(process.stdin), apiSettings(env));
  if (args.json) console.log(JSON.stringify(report, null, 2));
  else {
    const seconds = (value) => (value === null ? 'not known' : `${value} s`);
    const list = (values) => values.join(', ') || 'none';
    const lines = {
      'The API': { accepted: 'takes it', refused: 'refuses it', unknown: 'was not asked' }[report.status],
      'Decided by': report.decidedBy,
      Why: report.cause,
      ...(report.cure ? { 'What to do': report.cure } : {}),
      Kind: report.kind,
      Age: seconds(report.ageSeconds),
      'Expires in': seconds(report.expiresInSeconds),
      'Issued for': list(report.audience),
      Roles: list(report.roles),
      Scopes: list(report.scopes),
    };
    for (const [name, value] of Object.entries(lines)) console.log(`${name.padEnd(11)} ${value}`);
  }
  process.exit(report.status === 'accepted' ? 0 : 1);
}

function serviceKey(file) {
  try {
    return serviceKeyFrom(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail(`--service-key: ${error instanceof TypeError ? error.message : `${file} cannot be read`}`);
  }
}

function commandLine() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        'env-file': { type: 'string' },
        'service-key': { type: 'string' },
        'pat-file': { type: 'string' },
        'key-file': { type: 'string' },
        organization: { type: 'string' },
        project: { type: 'string' },
        fix: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (positionals.length > 1 || (positionals[0] ?? 'token') !== 'token') fail(usage);
    if (values['env-file'] !== undefined && !existsSync(values['env-file']))
      fail(`--env-file: ${values['env-file']} does not exist`);
    if (!values.fix && ['pat-file', 'key-file', 'organization', 'project'].some((name) => name in values))
      fail('--pat-file, --key-file, --organization and --project belong to --fix');
    return { args: values, isToken: positionals[0] === 'token' };
  } catch (error) {
    return fail(`${error.message.split('. ')[0]}. See --help`);
  }
}

function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}
