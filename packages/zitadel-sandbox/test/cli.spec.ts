import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startSandbox } from '../src/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/main.js');
const compiler = fileURLToPath(new URL('../../../node_modules/@typescript/native/bin/tsc', import.meta.url));

let folder: string;
let running: ChildProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-cli-'));
  const built = spawnSync(process.execPath, [compiler, '-b', root], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stdout);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
});

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...extra };
}

/** Runs the command to its end, for calls that start no server. */
function run(
  args: string[],
  env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: environment(env),
    timeout: 10_000,
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

async function started(
  args: string[],
): Promise<{ banner: string; stop: (signal: NodeJS.Signals) => Promise<Ended> }> {
  const child = spawn(process.execPath, [main, '--port', '0', ...args], { env: environment() });
  running = child;
  let err = '';
  let out = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes('Ctrl+C') && child.exitCode === null) await pause(10);
  return {
    banner: out,
    stop: async (signal) => {
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      return { code, err };
    },
  };
}

interface Ended {
  code: number | null;
  err: string;
}

describe('The command line', () => {
  it('It starts without a project, says how to make one, and writes the token for it for its owner alone', async () => {
    const patFile = join(folder, 'admin.pat');
    const { banner, stop } = await started(['--empty', '--pat-file', patFile]);
    const issuer = /npm run setup -- --issuer (\S+) --pat-file (\S+)/.exec(banner);
    expect(issuer?.[2]).toBe(patFile);
    expect(banner).not.toContain('ZITADEL_CLIENT_ID');
    const token = readFileSync(patFile, 'utf8').trim();
    expect(token.split('.')).toHaveLength(5);
    expect(statSync(patFile).mode & 0o777).toBe(0o600);
    const answer = await fetch(`${issuer?.[1]}/zitadel.project.v2.ProjectService/ListProjects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(200);
    await stop('SIGTERM');
  });

  it('It prints the environment variables of web app and API, and the users', async () => {
    const { banner, stop } = await started([]);
    const issuer = /ZITADEL_DOMAIN=(\S+)/.exec(banner)?.[1] ?? '';
    expect(banner).toContain('  ZITADEL_CLIENT_ID=320000000000000101\n');
    expect(banner).toContain('  ZITADEL_CALLBACK_URL=http://localhost:3000/auth/callback\n');
    expect(banner).toContain('  ZITADEL_POST_LOGOUT_URL=http://localhost:3000/auth/logout/callback\n');
    expect(banner).toContain(`  IDP_AUTHORITY=${issuer}\n`);
    expect(banner).toContain('  API_SWAGGER_CLIENT_ID=320000000000000105\n');
    expect(banner).toContain('  ZITADEL_CLI_CLIENT_ID=320000000000000106\n');
    for (const name of ['alice@acme.example', 'bob@acme.example', 'carol@globex.example']) {
      expect(banner).toContain(name);
    }
    const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as {
      issuer: string;
    };
    expect(discovery.issuer).toBe(issuer);
    const { code, err } = await stop('SIGTERM');
    expect([code, err]).toEqual([0, '']);
  });

  it('restarts after SIGKILL and responds as soon as it prints its start message', async () => {
    for (let start = 0; start < 3; start++) {
      const { banner, stop } = await started([]);
      const issuer = /ZITADEL_DOMAIN=(\S+)/.exec(banner)?.[1] ?? '';
      expect((await fetch(`${issuer}/oauth/v2/keys`)).status).toBe(200);
      await stop('SIGKILL');
    }
  });

  it('exits with 0 at SIGINT', async () => {
    const { stop } = await started([]);
    expect((await stop('SIGINT')).code).toBe(0);
  });

  it('prints no start message with --quiet', async () => {
    const keys = join(folder, 'quiet');
    const child = spawn(process.execPath, [main, '--port', '0', '--quiet', '--key-folder', keys], {
      env: environment(),
    });
    running = child;
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const exited = once(child, 'exit');
    // the last file that is written
    while (!existsSync(join(keys, 'service-user-key.json')) && child.exitCode === null) await pause(10);
    await pause(100);
    child.kill();
    expect([await exited, out]).toEqual([[0, null], '']);
  });

  it('applies --web-origin, --api-origin, --access-token-type, --access-token-ttl, --users and --key-folder', async () => {
    const users = join(folder, 'users.json');
    const keys = join(folder, 'keys');
    writeFileSync(
      users,
      JSON.stringify([{ loginName: 'dora', password: 'open sesame', goodFor: 'testing' }]),
    );
    const { banner, stop } = await started([
      ...['--web-origin', 'http://localhost:4000', '--web-origin', 'https://app.example'],
      ...['--base-path', '/base', '--api-origin', 'http://localhost:4001'],
      ...['--access-token-type', 'jwt', '--access-token-ttl', '60', '--users', users, '--key-folder', keys],
    ]);
    expect(banner).toContain('ZITADEL_CALLBACK_URL=http://localhost:4000/base/auth/callback');
    expect(banner).toContain(`ZITADEL_API_KEY_FILE=${join(keys, 'api-key.json')}`);
    expect(banner).toMatch(/with the password open sesame:\n {2}dora {2}testing\n/);
    expect(existsSync(join(keys, 'api-key.json'))).toBe(true);
    const issuer = /ZITADEL_DOMAIN=(\S+)/.exec(banner)?.[1] ?? '';
    const tokens = await tokensOf(issuer, 'https://app.example/base/auth/callback');
    expect(tokens.expires_in).toBe(59);
    expect(tokens.access_token.split('.')).toHaveLength(3);
    const swagger = await tokensOf(
      issuer,
      'http://localhost:4001/api/oauth2-redirect.html',
      '320000000000000105',
    );
    expect(swagger.access_token.split('.')).toHaveLength(5);
    await stop('SIGTERM');
  });
});

/** The address of the first redirect of an authorization request. */
async function loginOf(issuer: string): Promise<URL> {
  const query = new URLSearchParams({
    client_id: '320000000000000101',
    redirect_uri: 'http://localhost:3000/auth/callback',
    response_type: 'code',
    scope: 'openid',
  });
  const { headers } = await fetch(`${issuer}/oauth/v2/authorize?${query.toString()}`, { redirect: 'manual' });
  return new URL(headers.get('location') ?? '', issuer);
}

describe('The zitadel-sandbox command with options of the login UI', () => {
  it('serves Login V2 on a separate origin with --login-origin', async () => {
    const { banner, stop } = await started(['--login-origin', 'http://127.0.0.1:0']);
    const issuer = /ZITADEL_DOMAIN=(\S+)/.exec(banner)?.[1] ?? '';
    const login = await loginOf(issuer);
    expect([login.hostname, login.pathname]).toEqual(['127.0.0.1', '/ui/v2/login/login']);
    expect(banner).toContain(`Login V2 listening on ${login.origin}`);
    expect((await fetch(login)).status).toBe(200);
    await stop('SIGTERM');
  });

  it('selects Login V1 with --login-version 1 and Login V2 by default', async () => {
    const paths: string[] = [];
    for (const args of [['--login-version', '1'], []]) {
      const { banner, stop } = await started(args);
      const issuer = /ZITADEL_DOMAIN=(\S+)/.exec(banner)?.[1] ?? '';
      paths.push((await loginOf(issuer)).pathname);
      await stop('SIGTERM');
    }
    expect(paths).toEqual(['/ui/login/login', '/ui/v2/login/login']);
  });

  it('accepts a file with a byte order mark as --users', async () => {
    const users = join(folder, 'with-bom.json');
    writeFileSync(users, `\uFEFF${JSON.stringify([{ loginName: 'dora', goodFor: 'testing' }])}`);
    const { banner, stop } = await started(['--users', users]);
    expect(banner).toMatch(/\n {2}dora {2}testing\n/);
    await stop('SIGTERM');
  });
});

/** Signs dora in at a client without PKCE. */
async function tokensOf(
  issuer: string,
  redirect_uri: string,
  client_id = '320000000000000101',
): Promise<{ access_token: string; expires_in: number }> {
  const query = new URLSearchParams({ client_id, redirect_uri, response_type: 'code', scope: 'openid' });
  const login = await fetch(`${issuer}/oauth/v2/authorize?${query.toString()}`, { redirect: 'manual' });
  const authRequest = login.headers.get('location')?.split('=')[1] ?? '';
  const chosen = await fetch(`${issuer}/ui/v2/login/login`, {
    method: 'POST',
    body: new URLSearchParams({ authRequest, loginName: 'dora' }),
    redirect: 'manual',
  });
  const code = new URL(chosen.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const answer = await fetch(`${issuer}/oauth/v2/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', code, client_id, redirect_uri }),
  });
  return (await answer.json()) as { access_token: string; expires_in: number };
}

describe('The zitadel-sandbox command without a start', () => {
  it('lists all options with --help', () => {
    const { code, out } = run(['--help']);
    expect(code).toBe(0);
    const options = [
      'port',
      'users',
      'access-token-ttl',
      'access-token-type',
      'web-origin',
      'base-path',
      'api-origin',
      'login-origin',
      'no-login-pages',
      'login-version',
      'key-folder',
      'quiet',
    ];
    for (const option of options) expect(out).toContain(`--${option} `);
  });

  it.each([
    ['--help', '--port', 'x'],
    ['--port', 'x', '--help'],
    ['--nonsense', '--help'],
  ])('gives --help precedence over other arguments: %s %s', (...args) => {
    const { code, out, err } = run(args);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('--port PORT');
  });

  it('reports a --key-folder that is not writable in one sentence', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const { code, err } = run(['--port', '0', '--key-folder', file]);
    expect([code, err]).toEqual([1, `--key-folder: cannot write the keys into ${file}\n`]);
  });

  it('refuses to start with NODE_ENV=production, with exit code 1 and one sentence', () => {
    const { code, out, err } = run(['--port', '0'], { NODE_ENV: 'production' });
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      'The Zitadel sandbox is for development and tests only: it does not start with NODE_ENV=production.\n',
    );
  });

  it('reports a port in use with exit code 1 and one line that suggests another port', async () => {
    const taken = await startSandbox();
    const port = Number(new URL(taken.issuer).port);
    const { code, out, err } = run(['--port', String(port)]);
    await taken.close();
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      `Port ${port} is in use. Stop the program that listens on it, or choose another port: --port ${port + 1}\n`,
    );
  });

  it.each([
    [['--port', 'eighty'], '--port: expected an integer from 0 to 65535'],
    [['--port', '70000'], '--port: expected an integer from 0 to 65535'],
    [['--access-token-ttl', '-1'], "Option '--access-token-ttl' argument is ambiguous"],
    [['--access-token-ttl=1.5'], '--access-token-ttl: expected an integer'],
    [['--access-token-type', 'jwe'], '--access-token-type: expected opaque or jwt'],
    [['--web-origin', 'localhost:3000'], '--web-origin: expected an origin, such as http://localhost:3000'],
    [['--web-origin', 'http://localhost:3000/app'], '--web-origin: expected an origin'],
    [['--base-path', 'base'], '--base-path: expected a path, such as /base'],
    [['--api-origin', 'localhost:3001'], '--api-origin: expected an origin, such as'],
    [
      ['--login-origin', 'https://login.example'],
      '--login-origin: expected an http origin on a loopback address',
    ],
    [['--login-version', '3'], '--login-version: expected 1 or 2'],
    [['--users', '/nowhere.json'], '--users: cannot read /nowhere.json'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['nonsense'], "Unexpected argument 'nonsense'"],
  ])('reports invalid arguments %j: %s', (args, message) => {
    const { code, err } = run(args);
    expect(code).toBe(1);
    expect(err.startsWith(message)).toBe(true);
    expect(err).not.toContain('    at ');
  });

  it('reports the problems of a --users file by field', () => {
    const file = join(folder, 'wrong.json');
    writeFileSync(file, '[{"loginName":"a","rolls":[]}]');
    const { code, err } = run(['--users', file]);
    expect([code, err.includes('users[0]: Unrecognized key: "rolls"')]).toEqual([1, true]);
    writeFileSync(file, 'no json');
    expect(run(['--users', file]).err).toBe(`--users: ${file} is not valid JSON\n`);
  });
});

// In a separate process, because Jest hides the warnings of Node.js from its tests.
it('Twenty concurrent delayed responses cause no leak warning of Node', () => {
  const program = `
    import { startSandbox } from ${JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href)};
    const warnings = [];
    process.on('warning', ({ name }) => warnings.push(name));
    const sandbox = await startSandbox();
    sandbox.delay('/oauth/v2/keys', 100);
    const ask = () => fetch(sandbox.issuer + '/oauth/v2/keys').then(({ status }) => status);
    const statuses = await Promise.all(Array.from({ length: 20 }, ask));
    await sandbox.close();
    console.log(JSON.stringify({ statuses: [...new Set(statuses)], asked: sandbox.requests.length, warnings }));`;
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: environment(),
    timeout: 10_000,
  });
  expect([result.stderr, result.status]).toEqual(['', 0]);
  expect(JSON.parse(result.stdout)).toEqual({ statuses: [200], asked: 20, warnings: [] });
});
