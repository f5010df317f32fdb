import { setTimeout as pause } from 'node:timers/promises';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';

const entry = resolve('dist/main.js');
const running: RunningProgram[] = [];
afterEach(() => Promise.all(running.splice(0).map((program) => program.stop('SIGKILL'))));

const environment = {
  SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
  SESSION_SALT: 'a-salt',
  ZITADEL_DOMAIN: 'http://localhost:9',
  ZITADEL_CLIENT_ID: '1',
};
const start = (env: Record<string, string>) => {
  const program = runProgram(process.execPath, [entry], env);
  running.push(program);
  return program;
};

describe('node dist/main.js', () => {
  it('reports all problems of the environment and exits with 1', async () => {
    const { exit, output } = start({ SESSION_SECRET: 'hunter2', PORT: 'x' });
    expect(await exit).toBe(1);
    expect(output()).toMatchInlineSnapshot(`
"The configuration has 4 problems:
  PORT: expected a port number, 1 to 65535
  SESSION_SECRET: expected at least 32 characters, or a comma-separated list of such values
    get one: node -e "console.log(require('node:crypto').randomBytes(32).toString('hex'))"
  ZITADEL_DOMAIN: expected an address without a path, such as https://my-instance.zitadel.cloud or http://localhost:8080
    get one: Zitadel console, the address you sign in at
  ZITADEL_CLIENT_ID: expected the client ID Zitadel shows for the application
    get one: Zitadel console, Projects, your project, your application
All variables: docs/configuration.md
"
`);
  });

  it('reports a configured path that is a route and exits with 1', async () => {
    const ZITADEL_CALLBACK_URL = 'http://localhost:3000/profile';
    const PORT = String(await freePort());
    const { exit, output } = start({ ...environment, PORT, ZITADEL_CALLBACK_URL });
    expect(await exit).toBe(1);
    expect(output()).toBe(
      `The configuration has a problem:
  ZITADEL_CALLBACK_URL: expected a path that has no other use here, such as /auth/callback or /auth/logout/callback
All variables: docs/configuration.md
`,
    );
  });

  it.each([
    ['', {}],
    [', without Redis', { REDIS_URL: 'redis://127.0.0.1:1' }],
    [', in production', { NODE_ENV: 'production', ZITADEL_CALLBACK_URL: 'https://app.example.com/callback' }],
  ])('reports in one line that the port is in use%s, while Zitadel is unreachable', async (_, env) => {
    const port = String(await freePort());
    await start({ ...environment, ...env, PORT: port }).says('Ready at');
    const { exit, output } = start({ ...environment, ...env, PORT: port });
    expect(await exit).toBe(1);
    expect(output()).toBe(`Port ${port} is in use. Stop what listens there, or set PORT to another one.\n`);
  });

  it('starts while Zitadel is unreachable, and finishes a request in flight at SIGTERM', async () => {
    const port = await freePort();
    const web = start({ ...environment, PORT: String(port) });
    await web.says(`Ready at http://localhost:${port}`);
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200);
    expect((await fetch(`http://localhost:${port}/static/app.css`)).status).toBe(200);

    const begun = request({ port, method: 'POST', path: '/auth/logout', headers: { 'content-length': '9' } });
    const answered = once(begun, 'response') as Promise<[IncomingMessage]>;
    await new Promise<void>((written) => begun.write('csrf', () => written()));
    await pause(200);
    const ended = web.stop('SIGTERM');
    await pause(200);
    await expect(fetch(`http://localhost:${port}/`)).rejects.toThrow();
    begun.end('Token');
    expect((await answered)[0].statusCode).toBe(403);
    await ended;
  });

  it('warns that SESSION_DURATION is reduced to SESSION_MAX_DURATION', async () => {
    const web = start({ ...environment, PORT: String(await freePort()), SESSION_DURATION: '604800' });
    await web.says('Ready at');
    expect(web.output()).toContain('SESSION_DURATION is longer than SESSION_MAX_DURATION, which is 43200 s');
  });

  it('logs JSON in production', async () => {
    const port = String(await freePort());
    const web = start({
      ...environment,
      NODE_ENV: 'production',
      PORT: port,
      ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
    });
    await web.says('Ready at');
    await web.says('metadata');
    const refused = await fetch(`http://localhost:${port}/auth/logout`, { method: 'POST' });
    const { reference } = (await refused.json()) as { reference: string };
    await web.says(reference);
    const lines = web.output().trim().split('\n');
    const time: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expect.arrayContaining([
        { level: 'info', time, context: 'Web', msg: 'Ready at https://app.example.com' },
        expect.objectContaining({
          ...{ level: 'warn', event: 'refused', reason: 'AUTH_CSRF_COOKIE_MISSING', reference },
          ...{ method: 'POST', held: { csrf: 'no cookie' } },
        }),
        expect.objectContaining({
          level: 'info',
          msg: expect.stringContaining('ORGANIZATIONS=any') as unknown,
        }),
        expect.objectContaining({ level: 'warn', context: 'Discovery' }),
      ]),
    );
    expect(lines).toHaveLength(4);
  });
});
