import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { variableNames } from '../src/config/variable-names.js';
import { Browser } from './support/browser.js';
import { copyRepository } from './support/copied-repository.js';
import { answerDevice, shownBy } from './support/device-approval.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { signIn } from './support/sign-in.js';
import { textOf } from './support/text-of.js';

let folder: string;
let envFile: string;
let patFile: string;
let sandbox: Sandbox;
let origins: { web: string; api: string };
let dev: RunningProgram | undefined;

/** The npm script, as somebody runs it. */
const runSetup = (...args: string[]) =>
  runProgram('npm', ['run', '--silent', 'setup', '--', ...args], {}, resolve('.'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'app-'));
  [envFile, patFile] = [join(folder, '.env'), join(folder, 'admin.pat')];
  sandbox = await startSandbox({ empty: true, patFile });
  origins = {
    web: `http://localhost:${await freePort()}`,
    api: `http://localhost:${await freePort()}`,
  };
});
afterAll(async () => {
  await dev?.stop();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

describe('npm run setup, from an empty Zitadel and a token file', () => {
  const options = () => [
    ...['--issuer', sandbox.issuer, '--pat-file', patFile, '--env-file', envFile],
    ...['--web-origin', origins.web, '--api-origin', origins.api],
    ...['--grant', 'alice@acme.example=admin', '--back-channel', '--yes'],
  ];
  const commands = () =>
    sandbox.requests.filter(({ path }) => path.startsWith('/zitadel.') && !/\/(List|Get)/.test(path));

  it('It makes what the application needs, and takes an env file that is not there yet', async () => {
    const setup = runSetup(...options());
    expect({ status: await setup.exit, output: setup.output() }).toEqual({
      status: 0,
      output: expect.stringContaining('Done: 8 created, 0 changed, 0 unchanged'),
    });
  }, 60_000);

  it('It writes only variables that the programs and commands know', () => {
    const written = Object.keys(parse(readFileSync(envFile)));
    expect(written.length).toBeGreaterThan(10);
    expect(written.filter((name) => !variableNames.includes(name))).toEqual([]);
  });

  it('It leads to a web application one can sign in to, with the role, and to an API that answers: npm run dev', async () => {
    copyRepository(folder);
    dev = runProgram('npm', ['run', 'dev'], {}, folder);
    await dev.says('Stop with Ctrl+C', 90_000);
    expect(dev.output()).toContain(`Zitadel   ${sandbox.issuer}  (from .env)`);
    const browser = new Browser(origins.web);
    const profile = await signIn(browser, 'alice@acme.example');
    expect(profile.text).toContain('Alice Archer');
    expect((await browser.get('/admin')).status).toBe(200);
    expect(textOf(await browser.submit(profile, 'form[action^="/profile/api"]'))).toContain('"Hello World!"');
    expect((await fetch(`${origins.api}/api/v1/app`)).status).toBe(401);
  }, 120_000);

  it('It leads to a token of oneself for the API: npm run token', async () => {
    const command = ['--', 'scripts/token.mjs', '--env-file', envFile];
    const token = runProgram(process.execPath, command, {}, resolve('.'));
    await answerDevice(await shownBy(token), 'allowed');
    expect({ status: await token.exit, output: token.output() }).toMatchObject({ status: 0 });
    const headers = { authorization: `Bearer ${token.stdout().trim()}` };
    expect((await fetch(`${origins.api}/api/v1/admin`, { headers })).status).toBe(200);
  }, 60_000);

  it('It changes nothing when it runs again', async () => {
    const count = commands().length;
    const before = readFileSync(envFile);
    const setup = runSetup(...options(), '--json');
    expect(await setup.exit).toBe(0);
    const document = /^\{[^]*^\}$/m.exec(setup.output())?.[0] ?? '';
    expect(JSON.parse(document)).toMatchObject({ created: [], changed: [], files: [] });
    expect(commands()).toHaveLength(count);
    expect(readFileSync(envFile)).toEqual(before);
  }, 60_000);
});
