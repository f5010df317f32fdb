import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Browser } from './support/browser.js';
import { answerDevice, shownBy } from './support/device-approval.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { signIn } from './support/sign-in.js';
import { textOf } from './support/text-of.js';
import { until } from './support/until.js';

let dev: RunningProgram;
let port: number;
let sandboxPort: number;
let apiPort: number;

const runDev = (env: Record<string, string>, args = ['--sandbox']) =>
  runProgram('npm', ['run', 'dev', '--', ...args], env, resolve('.'));

beforeAll(async () => {
  [port, sandboxPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  dev = runDev({
    PORT: String(port),
    SANDBOX_PORT: String(sandboxPort),
    APP_PORT: String(apiPort),
  });
  await dev.says('Stop with Ctrl+C', 90_000);
}, 100_000);
afterAll(() => dev?.stop());

it('npm run dev prints the address of the web application and the login names', () => {
  expect(dev.output()).toContain(`Web app   http://localhost:${port}`);
  for (const name of ['alice@acme.example', 'bob@acme.example', 'carol@globex.example'])
    expect(dev.output()).toContain(name);
});

it('npm run dev starts an application in which a user can sign in', async () => {
  const page = await signIn(new Browser(`http://localhost:${port}`), 'alice@acme.example');
  expect(page.text).toContain('Alice Archer');
});

it('npm run dev starts the API, which the profile page can call', async () => {
  expect(dev.output()).toContain(
    `API       http://localhost:${apiPort}/api/v1/app  (described at http://localhost:${apiPort}/api)`,
  );
  expect((await fetch(`http://localhost:${apiPort}/api/v1/app`)).status).toBe(401);
  const browser = new Browser(`http://localhost:${port}`);
  const profile = await signIn(browser, 'bob@acme.example');
  const page = await browser.submit(profile, 'form[action^="/profile/api"]');
  expect(textOf(page)).toContain('"Hello World!"');
});

it('npm run token gets a token from the sandbox of npm run dev, which its API takes', async () => {
  const env = { SANDBOX_PORT: String(sandboxPort) };
  const token = runProgram('npm', ['run', '-s', 'token', '--', '--sandbox'], env, resolve('.'));
  await answerDevice(await shownBy(token), 'allowed');
  expect({ status: await token.exit, output: token.output() }).toMatchObject({ status: 0 });
  const headers = { authorization: `Bearer ${token.stdout().trim()}` };
  expect((await fetch(`http://localhost:${apiPort}/api/v1/app`, { headers })).status).toBe(200);
}, 90_000);

it('npm run dev -- --users FILE gives the sandbox the users of a file, and prints their login names', async () => {
  const [own, ownSandbox, ownApi] = [await freePort(), await freePort(), await freePort()];
  const file = join(mkdtempSync(join(tmpdir(), 'users-')), 'people.json');
  writeFileSync(file, JSON.stringify([{ loginName: 'nora@acme.example', roles: ['editor'] }]));
  const env = { PORT: String(own), SANDBOX_PORT: String(ownSandbox), APP_PORT: String(ownApi) };
  const second = runDev(env, ['--users', file]);
  try {
    await second.says('Stop with Ctrl+C', 60_000);
    expect(second.output()).toContain('nora@acme.example');
    expect(second.output()).not.toContain('alice@acme.example');
    const page = await signIn(new Browser(`http://localhost:${own}`), 'nora@acme.example');
    expect(textOf(page)).toContain('editor');
  } finally {
    await second.stop();
  }
}, 90_000);

it('npm run dev explains its options, and refuses others', async () => {
  const help = runDev({}, ['--help']);
  expect([await help.exit, help.output()]).toEqual([0, expect.stringContaining('--users FILE')]);
  const wrong = runDev({}, ['--user', 'x']);
  expect([await wrong.exit, wrong.output()]).toEqual([2, expect.stringMatching(/'--user'.*--users FILE/s)]);
}, 20_000);

it('npm run dev reports a port in use in one line', async () => {
  const second = runDev({ PORT: String(port), SANDBOX_PORT: String(sandboxPort) });
  expect(await second.exit).not.toBe(0);
  expect(second.output()).toContain(
    `Port ${port} is in use. Stop what listens there, or run: PORT=${port + 100} npm run dev`,
  );
}, 60_000);

it('a second npm run dev in the same folder ends with an error and does not change the keys and the API of the first', async () => {
  const key = join('.sandbox', String(sandboxPort), 'api-key.json');
  const before = readFileSync(key, 'utf8');
  const others = [
    { PORT: String(port), SANDBOX_PORT: String(sandboxPort) },
    { PORT: String(await freePort()), SANDBOX_PORT: String(sandboxPort) },
    { PORT: String(await freePort()), SANDBOX_PORT: String(sandboxPort), APP_PORT: String(apiPort) },
  ];
  for (const env of others) {
    const second = runDev(env);
    expect(await second.exit).not.toBe(0);
    expect(second.output()).toContain('is in use');
    expect(readFileSync(key, 'utf8')).toBe(before);
  }
  const starts = () => dev.output().split('checks tokens as application').length;
  const count = starts();
  const program = 'build/api/main.js';
  writeFileSync(program, readFileSync(program));
  await until(() => starts() > count, 20_000);
  expect((await fetch(`http://localhost:${apiPort}/api/v1/app`)).status).toBe(401);
}, 60_000);

it('npm run dev ends every process that it started', async () => {
  await dev.stop();
  for (const stopped of [port, sandboxPort, apiPort])
    await expect(fetch(`http://localhost:${stopped}/`)).rejects.toThrow();
}, 20_000);
