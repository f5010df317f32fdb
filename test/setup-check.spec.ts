import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { moveTime } from './support/move-time.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { until } from './support/until.js';
import { listening } from './support/listening.js';

let app: RunningApp | undefined;
let server: Awaited<ReturnType<typeof listening>> | undefined;
afterEach(async () => {
  jest.restoreAllMocks();
  await app?.close();
  await server?.close();
  app = server = undefined;
});

const start = async (options: NonNullable<Parameters<typeof startApp>[0]> = {}) =>
  (app = await startApp({ log: [], ...options, env: { ZITADEL_CHECK_AT_START: 'true', ...options.env } }));

const doctorPage = readFileSync('docs/doctor.md', 'utf8');

type Ready = { status: string; details: { zitadel: { status: string; reason?: string; since?: string } } };

async function readiness({ origin }: RunningApp): Promise<[number, Ready]> {
  const answer = await fetch(`${origin}/health/ready`);
  return [answer.status, (await answer.json()) as Ready];
}

describe('the check at start', () => {
  it.each([
    ['an unknown client ID', 'client_unknown', { env: { ZITADEL_CLIENT_ID: '320000000000009999' } }],
    ['the client ID of the API', 'client_unknown', { env: { ZITADEL_CLIENT_ID: '320000000000000103' } }],
    ['an inactive application', 'client_unknown', { sandbox: { web: { active: false } } }],
    [
      'an unregistered redirect URI',
      'redirect_uri_unknown',
      { sandbox: { web: { redirectUris: ['http://localhost:1/auth/callback'] } } },
    ],
    [
      'an http redirect URI of a user agent application without development mode',
      'redirect_uri_http',
      { sandbox: { web: { applicationType: 'user_agent', devMode: false } } },
    ],
    [
      'an unregistered post-logout redirect URI',
      'post_logout_uri_unknown',
      { sandbox: { web: { postLogoutRedirectUris: ['http://localhost:1/'] } } },
    ],
    ['the code flow switched off', 'code_flow_off', { sandbox: { web: { responseTypes: ['id_token'] } } }],
    ['Refresh Token not ticked', 'refresh_grant_off', { sandbox: { web: { refreshTokenGrant: false } } }],
    [
      'no client secret',
      'client_secret_missing',
      { sandbox: { web: { authMethod: 'basic' } }, env: { ZITADEL_CLIENT_SECRET: '' } },
    ],
    [
      'a wrong client secret',
      'client_secret_wrong',
      { sandbox: { web: { authMethod: 'basic' } }, env: { ZITADEL_CLIENT_SECRET: 'the-wrong-secret' } },
    ],
    [
      'an application with private_key_jwt',
      'client_key_expected',
      { sandbox: { web: { authMethod: 'private_key_jwt' } }, env: { ZITADEL_CLIENT_SECRET: '' } },
    ],
  ] as [string, string, NonNullable<Parameters<typeof startApp>[0]>][])(
    'reports %s in the log with the remedy, and in readiness with a code',
    async (_name, code, options) => {
      const log: string[] = [];
      const running = await start({ ...options, log });
      await until(() => log.some((line) => line.startsWith('error')));
      expect(log.filter((line) => line.startsWith('error'))).toEqual([
        expect.stringMatching(new RegExp(`^error ${code}: .{40}`)),
      ]);
      expect(await readiness(running)).toEqual([
        200,
        expect.objectContaining({
          status: 'degraded',
          details: expect.objectContaining({ zitadel: { status: 'misconfigured', reason: code } }) as object,
        }),
      ]);
      expect(doctorPage).toContain(`\`${code}\``);
      expect(log.join('\n')).not.toContain('the-wrong-secret');
      expect((await running.browser().get('/')).status).toBe(200);
    },
  );
});

describe('the check at start of a correct set-up', () => {
  it.each([
    ['PKCE', { web: { authMethod: 'none' } }],
    ['a secret', { web: { authMethod: 'basic' } }],
    ['Login V1', { web: { loginVersion: 1 } }],
  ] as const)('sends four requests that need no browser and logs nothing: %s', async (_name, sandbox) => {
    const log: string[] = [];
    const running = await start({ sandbox, log });
    const asked = () => running.sandbox.requests.map(({ path }) => path);
    await until(() => asked().length === 5);
    expect(asked().sort()).toEqual([
      '/.well-known/openid-configuration',
      '/oauth/v2/authorize',
      '/oauth/v2/token',
      '/oauth/v2/token',
      '/oidc/v1/end_session',
    ]);
    const marks = running.sandbox.requests.flatMap(({ query, form }) =>
      [query['state'], form['code'], form['refresh_token']].filter((mark) => mark !== undefined),
    );
    expect(marks).toEqual(Array(4).fill('start-up-check'));
    const [, body] = await readiness(running);
    expect(body).toMatchObject({ status: 'ok', details: { zitadel: { status: 'up' } } });
    expect(log.filter((line) => /^(error|warn)/.test(line))).toEqual([]);
  });

  it('is not run with ZITADEL_CHECK_AT_START=false', async () => {
    const running = await start({ env: { ZITADEL_CHECK_AT_START: 'false' } });
    await until(async () => (await readiness(running))[0] === 200);
    expect(running.sandbox.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration']);
  });
});

describe('the check of the set-up', () => {
  const status = async (running: RunningApp) => (await readiness(running))[1].details.zitadel.status;

  it('is repeated every minute until the set-up is correct, which is logged once', async () => {
    const log: string[] = [];
    const { setTimeout: timer } = globalThis;
    const minutes: (() => void)[] = [];
    jest.spyOn(globalThis, 'setTimeout').mockImplementation((run: () => void, ms?: number, ...values) => {
      if (ms === 60_000) minutes.push(run);
      return timer(ms === 60_000 ? () => undefined : run, ms, ...values);
    });
    const running = await start({ sandbox: { web: { active: false } }, log });
    for (const pass of [1, 2]) {
      await until(() => minutes.length === pass);
      minutes[pass - 1]?.();
    }
    await until(() => minutes.length === 3);
    expect(await status(running)).toBe('misconfigured');
    expect(log.filter((line) => line.startsWith('error'))).toHaveLength(1);
    Object.assign(running.sandbox.clients.web, { active: true });
    minutes[2]?.();
    await until(async () => (await status(running)) === 'up');
    expect(log.join('\n')).toContain('The configuration in Zitadel is correct now');
    expect(minutes).toHaveLength(3);
  });

  it('is repeated when the metadata are read again after an hour', async () => {
    const running = await start();
    await until(() => running.sandbox.requests.some(({ path }) => path === '/oidc/v1/end_session'));
    expect(await status(running)).toBe('up');
    Object.assign(running.sandbox.clients.web, { active: false });
    moveTime(61 * 60_000);
    await until(async () => (await status(running)) === 'misconfigured');
  });
});

describe('Zitadel', () => {
  it('is down for readiness (503) when its metadata are older than a day', async () => {
    const log: string[] = [];
    const running = await start({ env: { ZITADEL_CHECK_AT_START: 'false' }, log });
    await until(async () => (await readiness(running))[0] === 200);
    running.sandbox.fail('/.well-known/openid-configuration', 503);
    moveTime(23 * 60 * 60_000);
    expect((await readiness(running))[0]).toBe(200);
    await until(() => log.some((line) => line.includes('The cached ones are used')));
    moveTime(2 * 60 * 60_000);
    const [code, { details }] = await readiness(running);
    expect([code, details.zitadel.status]).toEqual([503, 'down']);
  });

  it('is degraded for readiness since its first failure, and up when it responds again', async () => {
    const running = await start({ env: { ZITADEL_CHECK_AT_START: 'false' } });
    await until(async () => (await readiness(running))[0] === 200);
    running.sandbox.fail('/.well-known/openid-configuration', 503);
    running.sandbox.fail('/oauth/v2/keys', 503);
    const before = Date.now();
    await running.browser().get('/auth/login');
    moveTime(31_000);
    await until(async () => (await readiness(running))[1].details.zitadel.status === 'degraded');
    const [status, { details }] = await readiness(running);
    expect(status).toBe(200);
    expect(Date.parse(details.zitadel.since ?? '')).toBeGreaterThan(before);
    running.sandbox.fail('/.well-known/openid-configuration', null);
    moveTime(31_000);
    await until(async () => (await readiness(running))[1].details.zitadel.status === 'up');
  });

  it('without back-channel logout in its metadata leads to one warning with the feature to switch on', async () => {
    const log: string[] = [];
    const asked: string[] = [];
    const provider = await older(asked);
    const running = await start({ env: { ZITADEL_DOMAIN: provider }, log });
    for (const checks of [1, 2]) {
      await until(() => asked.filter((path) => path === '/oauth/v2/authorize').length === checks);
      moveTime(61 * 60_000);
      await readiness(running);
    }
    expect(log.filter((line) => line.includes('back-channel'))).toEqual([
      expect.stringContaining('switch on the feature'),
    ]);
  });

  it('with another domain leads to a log line that names both domains', async () => {
    const log: string[] = [];
    const running = await startApp();
    const { port } = new URL(running.sandbox.issuer);
    await start({ env: { ZITADEL_DOMAIN: `http://127.0.0.1:${port}` }, log });
    await until(() => log.some((line) => line.includes('Could not read the metadata of Zitadel')));
    expect(log.join('\n')).toContain(
      `Zitadel is configured for the domain localhost, not for 127.0.0.1:${port}`,
    );
    expect(log.join('\n')).toContain('Nobody can sign in until they can be read');
    await running.close();
  });

  it('without TLS at an https address leads to a log line that suggests http', async () => {
    const log: string[] = [];
    server = await listening((_request, response) => response.end());
    const { port } = server;
    await start({ env: { ZITADEL_DOMAIN: `https://127.0.0.1:${port}` }, log });
    await until(() =>
      log.some((line) => line.includes(`check whether the address is http://127.0.0.1:${port}`)),
    );
  });
});

/** A provider like Zitadel up to v4.3, without back-channel logout in its metadata. */
async function older(asked: string[]): Promise<string> {
  const running = await listening((request, response) => {
    const issuer = running.origin;
    asked.push(request.url?.split('?')[0] ?? '');
    if (request.url !== '/.well-known/openid-configuration') {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ error: 'invalid_request', error_description: 'Errors.User.Code.Invalid' }),
      );
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        issuer,
        authorization_endpoint: `${issuer}/oauth/v2/authorize`,
        token_endpoint: `${issuer}/oauth/v2/token`,
        jwks_uri: `${issuer}/oauth/v2/keys`,
      }),
    );
  });
  server = running;
  return running.origin;
}
