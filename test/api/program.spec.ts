import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startSandbox } from 'zitadel-sandbox';
import { freePort } from '../support/free-port.js';
import { runProgram, type RunningProgram } from '../support/run-program.js';
import { serviceUserTokens } from '../support/service-user-tokens.js';
import { apiEnvironment } from '../support/start-api.js';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const keyFile = JSON.stringify({ type: 'application', keyId: 'k', key, appId: 'a', clientId: 'c' });

let program: RunningProgram | undefined;
let silent: Server | undefined;
const held: Socket[] = [];
afterEach(async () => {
  await program?.stop('SIGKILL');
  for (const socket of held.splice(0)) socket.destroy();
  silent?.close();
  silent = undefined;
});

/** Starts the built API, in production by default. */
async function start(env: Record<string, string>, flags: string[] = []) {
  const port = String(await freePort());
  program = runProgram(process.execPath, [...flags, resolve('dist/api/main.js')], {
    NODE_ENV: 'production',
    APP_PORT: port,
    ZITADEL_API_KEY_FILE: keyFile,
    ...env,
  });
  await program.says('Ready at');
  const get = (authorization?: string) =>
    fetch(`http://localhost:${port}/api/v1/app`, { headers: authorization ? { authorization } : {} });
  return { get, output: program.output };
}

/** The address of a server that accepts connections and never responds. */
async function silentIssuer() {
  const server = (silent = createServer((socket) => void held.push(socket)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Arguments that start a program with its clock so many seconds ahead. */
const clockAhead = (seconds: number) => {
  const ahead = `const { now } = Date; const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...given) { given.length > 0 ? super(...given) : super(now() + ${seconds * 1000}); }
      static now() { return now() + ${seconds * 1000}; }
    };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(ahead)}`];
};

describe('node dist/api/main.js', () => {
  it.each([
    ['any', {}],
    ['active', { ORGANIZATIONS: 'active' }],
  ])('says at start in production that ORGANIZATIONS is %s', async (mode, env) => {
    const { output } = await start({ ZITADEL_DOMAIN: await silentIssuer(), ...env });
    expect(output()).toContain(`(ORGANIZATIONS=${mode})`);
  });

  it.each([-60, -30, -7, 7, 30, 60])(
    'accepts a valid token when its clock is %i seconds ahead of that of Zitadel',
    async (seconds) => {
      const sandbox = await startSandbox();
      try {
        const { access_token: token } = await serviceUserTokens(
          sandbox,
          `openid urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`,
        );
        const env = apiEnvironment(sandbox);
        const api = await start(env, clockAhead(seconds));
        expect((await api.get(`Bearer ${token}`)).status).toBe(200);
        const [, time = ''] = /"time":"([^"]+)"/.exec(api.output()) ?? [];
        expect(Math.abs(Date.parse(time) - Date.now() - seconds * 1000)).toBeLessThan(30_000);
      } finally {
        await sandbox.close();
      }
    },
  );

  it.each([
    ['', 1],
    ['320000000000000100', 0],
  ])('with IDP_PROJECT_ID="%s" logs %i warnings about unchecked audiences', async (projectId, times) => {
    const api = await start({ IDP_AUTHORITY: 'http://localhost:1', IDP_PROJECT_ID: projectId });
    await api.get();
    expect(api.output().split('IDP_PROJECT_ID').length - 1).toBe(times);
  });

  it.each([
    ['whose port is closed', async () => `http://127.0.0.1:${await freePort()}`],
    ['that accepts connections and never responds', silentIssuer],
  ])(
    'returns 503 with Retry-After for ten requests and pauses introspection with an issuer %s',
    async (_name, issuer) => {
      const api = await start({ IDP_AUTHORITY: await issuer() });
      for (let attempt = 0; attempt < 10; attempt++) {
        const answer = await api.get(`Bearer token-${attempt}`);
        expect(answer.status).toBe(503);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect((await api.get()).status).toBe(401);
      }
      expect(held.length).toBeLessThan(10);
    },
    30_000,
  );

  it.each(['opaque', 'jwt'] as const)(
    'logs no token, assertion or key for valid and invalid %s tokens',
    async (accessTokenType) => {
      const sandbox = await startSandbox({ users: [robot(accessTokenType)] });
      const { clients, projectId, requests } = sandbox;
      const apiKey = clients.api.key;
      try {
        const api = await start({
          LOG_LEVEL: 'debug',
          ...apiEnvironment(sandbox),
        });
        const scope = `openid urn:zitadel:iam:org:project:id:${projectId}:aud`;
        const { access_token: good } = await serviceUserTokens(sandbox, scope);
        const canaries = [good, `${good}x`, 'canary-unknown-token', 'canary"malformed', 'canary two'];
        expect(
          await Promise.all(canaries.map((token) => answered(() => api.get(`Bearer ${token}`)))),
        ).toEqual([200, 401, 401, 401, 401]);
        sandbox.fail('/oauth/v2/introspect', 500);
        expect((await api.get('Bearer canary-failing')).status).toBe(503);
        sandbox.fail('/oauth/v2/introspect', 400);
        expect((await api.get('Bearer canary-refused')).status).toBe(503);
        await api.get('Basic canary-basic');

        const assertions = requests.map(({ form }) => form['client_assertion'] ?? '').filter(Boolean);
        expect(assertions.length).toBeGreaterThan(3);
        const keyLines = apiKey.key.split('\n').filter((line) => line.length > 30);
        await program?.says('Introspection failed');
        const said = api.output();
        expect(said).toContain('A token was refused');
        expect(said).not.toMatch(/canary|eyJ|PRIVATE KEY/);
        for (const secret of [good, ...assertions, ...keyLines]) expect(said.includes(secret)).toBe(false);
      } finally {
        await sandbox.close();
      }
    },
  );
});

/** Repeats the request until its status is not 503, because the first response may be late on a busy machine. */
async function answered(ask: () => Promise<{ status: number }>): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { status } = await ask();
    if (status !== 503) return status;
    await pause(300);
  }
  return 503;
}

const robot = (accessTokenType: 'opaque' | 'jwt') => ({
  kind: 'machine' as const,
  loginName: 'robot',
  clientSecret: 'a secret of the robot',
  accessTokenType,
});
