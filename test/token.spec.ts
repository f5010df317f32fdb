import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { answerDevice, shownBy } from './support/device-approval.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { apiEnvironment, startApi, type RunningApi } from './support/start-api.js';

const LIMIT_MS = 60_000;

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let sandbox: Sandbox;
let failing: Sandbox;
let api: RunningApi;
let started: Record<'allowed' | 'slowed' | 'denied' | 'late' | 'withoutGrant', RunningProgram>;
const folder = mkdtempSync(join(tmpdir(), 'token-'));

/** The commands that wait for a person or for Zitadel start together: each asks for the first time after five seconds. */
beforeAll(async () => {
  [sandbox, failing] = [await startSandbox({ device: {} }), await startSandbox({ device: {} })];
  api = await startApi(apiEnvironment(sandbox));
  failing.fail('/oauth/v2/token', 503, 1);
  started = {
    allowed: token(),
    slowed: token({ ZITADEL_DOMAIN: failing.issuer }),
    denied: token(),
    late: token(),
    withoutGrant: token({ ZITADEL_CLI_CLIENT_ID: sandbox.clients.web.clientId }),
  };
});
afterAll(async () => {
  await Promise.all(Object.values(started).map((command) => command.stop()));
  await api?.close();
  await Promise.all([sandbox.close(), failing.close()]);
  rmSync(folder, { recursive: true });
});

/** Runs the command with this configuration in an env file. */
function token(change: Record<string, string> = {}, ...args: string[]): RunningProgram {
  const variables = {
    ZITADEL_DOMAIN: sandbox.issuer,
    ZITADEL_CLI_CLIENT_ID: sandbox.clients.device?.clientId ?? '',
    IDP_PROJECT_ID: sandbox.projectId,
    ...change,
  };
  const file = join(mkdtempSync(join(folder, 'env-')), 'app.env');
  writeFileSync(
    file,
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return runProgram(
    process.execPath,
    ['--', 'scripts/token.mjs', '--env-file', file, ...args],
    {},
    resolve('.'),
  );
}

async function result(command: RunningProgram) {
  return { status: await command.exit, output: command.output() };
}

describe('npm run token', () => {
  it(
    'It prints nothing but a token of the person who allowed it, which the API takes with the roles',
    async () => {
      const { allowed } = started;
      await answerDevice(await shownBy(allowed), 'allowed');
      expect(await result(allowed)).toMatchObject({ status: 0 });
      const [printed = '', ...rest] = allowed.stdout().split('\n');
      expect(rest).toEqual(['']);
      expect((await api.get('/api/v1/app', printed)).status).toBe(200);
      expect((await api.get('/api/v1/admin', printed)).status).toBe(200);
      const caller = (await (await api.get('/api/v1/caller', printed)).json()) as Record<string, unknown>;
      expect(JSON.stringify(caller)).toContain('320000000000000011');
    },
    LIMIT_MS,
  );

  it(
    'It asks as often as Zitadel says, and goes on more slowly when Zitadel does not answer in between',
    async () => {
      const { slowed } = started;
      await answerDevice(await shownBy(slowed), 'allowed');
      expect(await result(slowed)).toMatchObject({ status: 0 });
      expect(failing.grants(DEVICE_GRANT)).toHaveLength(2);
    },
    LIMIT_MS,
  );

  it(
    'It says that the request was denied, or that nobody allowed it in time',
    async () => {
      const { denied, late } = started;
      await answerDevice(await shownBy(denied), 'denied');
      await shownBy(late);
      sandbox.expire('device_codes');
      expect(await result(denied)).toEqual({
        status: 1,
        output: expect.stringContaining('The request was denied\n'),
      });
      expect(await result(late)).toEqual({
        status: 1,
        output: expect.stringContaining('Nobody allowed the request in time: start again\n'),
      });
      expect([denied.stdout(), late.stdout()]).toEqual(['', '']);
    },
    LIMIT_MS,
  );

  it(
    'It says that an application may not use device authorization, is unknown or needs a secret',
    async () => {
      const { web, apiBasic } = sandbox.clients;
      expect(await result(started.withoutGrant)).toEqual({
        status: 1,
        output: expect.stringContaining(`The application ${web.clientId} may not use device authorization`),
      });
      const commands = ['399999999999999999', apiBasic.clientId].map((id) =>
        token({ ZITADEL_CLI_CLIENT_ID: id }),
      );
      for (const one of await Promise.all(commands.map(result)))
        expect(one).toEqual({
          status: 1,
          output: expect.stringMatching(
            /^Zitadel has no active application 3\d+, or the application needs a secret: npm run setup/,
          ),
        });
    },
    LIMIT_MS,
  );

  it('It says that Zitadel is not there', async () => {
    const command = token({ ZITADEL_DOMAIN: `http://localhost:${await freePort()}` });
    expect(await result(command)).toEqual({ status: 1, output: expect.stringContaining('does not answer') });
  });

  it('It says that the sandbox is not running, where there is no other Zitadel', async () => {
    const port = await freePort();
    const command = runProgram(
      process.execPath,
      ['--', 'scripts/token.mjs', '--sandbox'],
      { SANDBOX_PORT: String(port) },
      resolve('.'),
    );
    expect(await result(command)).toEqual({
      status: 1,
      output: `The sandbox is not running at http://localhost:${port}: start npm run dev\n`,
    });
  });

  it('It refuses a directory in place of a file', async () => {
    const command = token({}, '--env-file', folder);
    expect(await result(command)).toEqual({
      status: 2,
      output: `--env-file: ${folder} cannot be read\n`,
    });
  });

  it('It names what is wrong in the configuration', async () => {
    expect(await result(token({ ZITADEL_CLI_CLIENT_ID: '' }))).toEqual({
      status: 2,
      output: expect.stringContaining(
        'ZITADEL_CLI_CLIENT_ID: expected a client ID\n    get one: npm run setup',
      ),
    });
  });

  it('It refuses a wrong option, and a file that is not there', async () => {
    const file = join(folder, 'missing.env');
    const commands = [token({}, '--wrong'), token({}, '--env-file', file)];
    const [wrong, missing] = await Promise.all(commands.map(result));
    expect(wrong).toEqual({ status: 2, output: expect.stringContaining("Unknown option '--wrong'") });
    expect(missing).toEqual({ status: 2, output: `--env-file: ${file} does not exist\n` });
  });
});
