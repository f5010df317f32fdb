// `npm run dev`: builds, then runs all programs in watch mode until it is stopped.
// With a `.env` file, the API runs if it has a key.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'dotenv';

const usage = `npm run dev -- [options]

  --sandbox      the sandbox as Zitadel although there is a .env; without one it is used in any case
  --users FILE   the sandbox with the users of a JSON file (docs/sandbox.md)
  --help         this text

Variables: PORT (3000), APP_PORT of the API (PORT + 1), SANDBOX_PORT (8080), and those of docs/configuration.md.`;

const args = commandLine();
const SANDBOX_PORT = Number(process.env.SANDBOX_PORT || 8080);
const children = new Set();
let stopping = false;
let keyFolder;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(0));
// npm passes a signal only to its shell, which does not pass it on to this program.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop(0), 250).unref();

console.log('Building…');
await finished('tsc', ['-b']);
await finished('tailwindcss', ['-i', 'views/app.css', '-o', 'public/app.css'], { quiet: true });

const ownZitadel = existsSync('.env') && !args.sandbox && !args.users;
const { ConfigError, explain, loadEnvFile } = await import('@mridang/nestjs-program');
const { variableNames } = await import('../build/config/variable-names.js');
const env = ownZitadel
  ? await configurationFrom(withEnvFile, { ...process.env })
  : { ...process.env, ...(await sandboxEnv()) };
const { readEnv } = await import('../build/config/env.js');
const { readApiEnv } = await import('../build/config/api-env.js');
const { port, origin, zitadel } = await configurationFrom(readEnv);
const hasApi = !ownZitadel || env.ZITADEL_API_KEY_FILE || env.IDP_AUTHORIZATION_PROFILE_KEY;
env.APP_PORT ||= String(port + 1);
const apiPort = Number(env.APP_PORT);

await mustBeFree(
  port,
  `Port ${port} is in use. Stop what listens there, or run: PORT=${port + 100} npm run dev`,
);
if (!ownZitadel) {
  await mustBeFree(
    SANDBOX_PORT,
    `Port ${SANDBOX_PORT}, where the sandbox listens, is in use. Stop what listens there; if it is your Zitadel, make a .env (README).`,
  );
}

if (hasApi) {
  await mustBeFree(
    apiPort,
    `Port ${apiPort}, for the API, is in use. Stop what listens there, or run: APP_PORT=${apiPort + 100} npm run dev`,
  );
}

// Not earlier: a running `npm run dev` may use the keys in this folder.
keyFolder = ownZitadel ? undefined : join('.sandbox', String(SANDBOX_PORT));
if (keyFolder) rmSync(keyFolder, { recursive: true, force: true });
run('tsc', ['-b', '--watch', '--preserveWatchOutput'], { quiet: true });
run('tailwindcss', ['-i', 'views/app.css', '-o', 'public/app.css', '--watch=always'], { quiet: true });
if (!ownZitadel) {
  run('node', [
    'packages/zitadel-sandbox/dist/main.js',
    '--port',
    SANDBOX_PORT,
    '--web-origin',
    origin,
    '--base-path',
    env.BASE_PATH ?? '',
    '--api-origin',
    `http://localhost:${apiPort}`,
    '--key-folder',
    keyFolder,
    '--quiet',
    ...(args.users ? ['--users', args.users] : []),
  ]);
  await answers(`${zitadel.issuer}/.well-known/openid-configuration`);
  env.ZITADEL_API_KEY_FILE = join(keyFolder, 'api-key.json');
  await isThere(env.ZITADEL_API_KEY_FILE);
}
if (hasApi) {
  await configurationFrom(readApiEnv);
  run('node', ['--watch', '--watch-preserve-output', 'build/api/main.js'], { env });
}
run('node', ['--watch', '--watch-preserve-output', 'build/main.js'], { env });
await answers(`http://localhost:${port}/`);
if (hasApi) await answers(`http://localhost:${apiPort}/api/v1/app`);
await banner();

function commandLine() {
  const options = {
    sandbox: { type: 'boolean' },
    users: { type: 'string' },
    help: { type: 'boolean' },
  };
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

async function banner() {
  const lines = [`Web app   ${origin}`];
  // Without a client ID of its own, a sign-in in Swagger UI would end on an error page of Zitadel.
  const swagger = env.API_SWAGGER_CLIENT_ID ? `  (described at http://localhost:${apiPort}/api)` : '';
  lines.push(
    hasApi
      ? `API       http://localhost:${apiPort}/api/v1/app${swagger}`
      : 'API       not started: it needs ZITADEL_API_KEY_FILE (docs/configuration.md)',
  );
  if (ownZitadel) lines.push(`Zitadel   ${zitadel.issuer}  (from .env)`);
  else {
    const { defaultUsers, defaultPassword } = await import('zitadel-sandbox');
    lines.push(
      `Sandbox   ${zitadel.issuer}  (stands in for Zitadel)`,
      '',
      'Open the web app, press "Log in" and choose who you are:',
    );
    const users = args.users ? JSON.parse(readFileSync(args.users, 'utf8')) : defaultUsers;
    for (const { kind, loginName, goodFor = '' } of users) {
      if (kind !== 'machine') lines.push(`  ${loginName.padEnd(22)}${goodFor}`.trimEnd());
    }
    lines.push(
      `  (the password, where a form asks for one${args.users ? ' and the file has none' : ''}: ${defaultPassword})`,
      '',
      `Credentials of a service user, to call the API with (docs/api.md): ${keyFolder}`,
    );
  }
  lines.push('', 'Changes are picked up as you save. Stop with Ctrl+C.');
  console.log(`\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
}

async function sandboxEnv() {
  // An unwanted .env file must not reach the application, which reads it itself.
  const hidden = existsSync('.env') ? Object.keys(parse(readFileSync('.env'))) : [];
  const { defaultIds } = await import('zitadel-sandbox');
  const callback = `http://localhost:${process.env.PORT || 3000}${process.env.BASE_PATH ?? ''}/auth/callback`;
  return {
    ...Object.fromEntries(hidden.map((name) => [name, process.env[name] ?? ''])),
    NODE_ENV: 'development',
    ZITADEL_DOMAIN: `http://localhost:${SANDBOX_PORT}`,
    ZITADEL_CLIENT_ID: defaultIds.web,
    ZITADEL_CLIENT_SECRET: '',
    ZITADEL_CALLBACK_URL: callback,
    ZITADEL_POST_LOGOUT_URL: callback.replace('/auth/callback', '/auth/logout/callback'),
    SESSION_SECRET: process.env.SESSION_SECRET || randomBytes(32).toString('hex'),
    IDP_AUTHORITY: '',
    IDP_AUTHORIZATION_PROFILE_TYPE: '',
    IDP_AUTHORIZATION_PROFILE_KEY_ID: '',
    IDP_AUTHORIZATION_PROFILE_KEY: '',
    IDP_AUTHORIZATION_PROFILE_APP_ID: '',
    IDP_AUTHORIZATION_PROFILE_CLIENT_ID: '',
    // The sandbox lets people register, and no service gets its tokens that would not accept metadata.
    ZITADEL_REGISTRATION: 'true',
    ZITADEL_USER_METADATA: 'true',
    IDP_PROJECT_ID: defaultIds.project,
    API_SWAGGER_CLIENT_ID: defaultIds.swagger,
    API_URL: `http://localhost:${process.env.APP_PORT || Number(process.env.PORT || 3000) + 1}`,
  };
}

function withEnvFile(source) {
  loadEnvFile(source, variableNames);
  return source;
}

/** @template T @param {(source: NodeJS.ProcessEnv) => T} read @returns {Promise<T>} */
async function configurationFrom(read, source = env) {
  try {
    return read(source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    fail(explain(error));
    return new Promise(() => {});
  }
}

/** Starts a program in a separate process group, so that a signal reaches its children, too. */
function run(command, args, { env: childEnv = process.env, quiet = false } = {}) {
  const bin = command === 'node' ? process.execPath : `node_modules/.bin/${command}`;
  const child = spawn(bin, args.map(String), {
    env: childEnv,
    detached: true,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  children.add(child);
  // Compilers print only errors.
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => /error TS|Error:/.test(data) && process.stderr.write(data));
  }
  child.on('exit', (code) => {
    children.delete(child);
    if (!stopping) fail(`${command} ${args[0]} ended (${code ?? 'by a signal'}).`);
  });
  return child;
}

function finished(command, args, { quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${command}`, args, {
      detached: true,
      stdio: ['ignore', 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    children.add(child);
    let said = '';
    child.stderr?.on('data', (data) => (said += data));
    child.on('exit', (code) => {
      children.delete(child);
      if (code === 0) resolve();
      else if (!stopping) fail(`${said}${command} failed.`);
    });
  });
}

function mustBeFree(port, sentence) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => fail(sentence));
    probe.listen(port, () => probe.close(resolve));
  });
}

async function answers(url) {
  for (let attempt = 0; attempt < 150; attempt++) {
    try {
      await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  fail(`${url} does not answer.`);
}

async function isThere(file) {
  for (let attempt = 0; attempt < 100 && !existsSync(file); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function fail(sentence) {
  console.error(sentence);
  stop(1);
}

/** Stops every child, with SIGKILL if necessary, and then this program. */
function stop(code) {
  if (stopping) return;
  stopping = true;
  signalChildren('SIGTERM');
  const started = Date.now();
  setInterval(() => {
    if (Date.now() - started > 3_000) signalChildren('SIGKILL');
    if (children.size > 0) return;
    if (keyFolder) rmSync(keyFolder, { recursive: true, force: true });
    process.exit(code);
  }, 20);
}

function signalChildren(signal) {
  for (const child of children) {
    try {
      process.kill(-child.pid, signal);
    } catch {
      children.delete(child);
    }
  }
}
