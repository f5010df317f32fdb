import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { moveTime } from './support/move-time.js';
import { rawRequest } from './support/raw-request.js';
import { serviceUserTokens } from './support/service-user-tokens.js';
import { signIn } from './support/sign-in.js';
import { apiEnvironment, startApi, type RunningApi } from './support/start-api.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { program } from './support/browser.js';
import { listening } from './support/listening.js';
import { metricsOf } from './support/metrics.js';
import { until } from './support/until.js';

const TOKEN = 'a token for the metrics';

let app: RunningApp | undefined;
let api: RunningApi | undefined;
let sandbox: Sandbox | undefined;
afterEach(async () => {
  await Promise.all([app?.close(), api?.close()]);
  await sandbox?.close();
  app = api = sandbox = undefined;
});

const startWeb = async (...options: Parameters<typeof startApp>) => (app = await startApp(...options));

/** The API and a sandbox, which is its issuer by default. */
async function startTheApi(env: Record<string, string> = {}) {
  const running = (sandbox = await startSandbox());
  api = await startApi({
    ...apiEnvironment(running),
    ...env,
  });
  return { origin: api.origin, api, sandbox: running };
}

type Answer = Record<string, unknown>;
const ask = async (url: string): Promise<[number, Answer]> => {
  const answer = await fetch(url);
  return [answer.status, (await answer.json()) as Answer];
};

/** Repeats the request until it returns `status`. */
async function answers(status: number, url: string): Promise<Answer> {
  let last: [number, Answer] = [0, {}];
  await until(async () => (last = await ask(url))[0] === status);
  return last[1];
}

describe('for health checks,', () => {
  it.each([
    ['the web application', () => startWeb()],
    ['the API', () => startTheApi()],
  ])('%s is alive and ready before the first request', async (_name, start) => {
    const { origin, sandbox: zitadel } = await start();
    const live = await fetch(`${origin}/health/live`, { headers: { cookie: 'authjs.session-token=x' } });
    expect([live.status, live.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await live.json()).toEqual({ status: 'ok' });
    const ready = await answers(200, `${origin}/health/ready`);
    expect(ready).toMatchObject({ status: 'ok', details: { zitadel: { status: 'up' } } });
    expect(zitadel.requests.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration']);
  });

  it.each([
    ['the web application', () => startWeb({ env: { ZITADEL_DOMAIN: 'http://127.0.0.1:1' } })],
    ['the API', () => startTheApi({ IDP_AUTHORITY: 'http://127.0.0.1:1' })],
  ])('%s is alive and not ready (503) while Zitadel has never been reached', async (_name, start) => {
    const { origin } = await start();
    expect(await ask(`${origin}/health/live`)).toEqual([200, { status: 'ok' }]);
    const [status, body] = await ask(`${origin}/health/ready`);
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'error', error: { zitadel: { status: 'down' } } });
  });

  it('fifty readiness requests lead to one metadata request when Zitadel fails', async () => {
    let asked = 0;
    const failing = await listening((_request, response) => {
      asked++;
      response.writeHead(500).end();
    });
    try {
      const { origin } = await startWeb({ env: { ZITADEL_DOMAIN: failing.origin } });
      for (let count = 0; count < 50; count++) expect((await ask(`${origin}/health/ready`))[0]).toBe(503);
      expect(asked).toBe(1);
    } finally {
      await failing.close();
    }
  });

  it('readiness is 200 with status degraded while Redis is unavailable', async () => {
    const { origin } = await startWeb({ env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    const body = await answers(200, `${origin}/health/ready`);
    expect(body).toMatchObject({ status: 'degraded', details: { redis: { status: 'degraded' } } });
  });

  it('AUTH_RATE_LIMIT does not apply to /health/live', async () => {
    const { origin } = await startWeb({ env: { AUTH_RATE_LIMIT: '1' } });
    for (let count = 0; count < 5; count++) expect((await ask(`${origin}/health/live`))[0]).toBe(200);
  });
});

describe('metrics', () => {
  it('count and time sign-ins, sign-outs, requests and requests to Zitadel', async () => {
    const running = await startWeb({ log: [] });
    const browser = running.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    expect(profile.url.pathname).toBe('/profile');
    await browser.get('/nobody/knows/me');
    await browser.get('/auth/callback?code=x&state=y');
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    const text = await metricsOf(running.origin);
    for (const line of [
      'logins_total{result="success"} 1',
      'logins_total{result="state_invalid"} 1',
      'logouts_total{kind="user",result="done"} 1',
      'zitadel_request_duration_seconds_count{endpoint="discovery",result="ok"} 1',
      'zitadel_request_duration_seconds_count{endpoint="token",result="ok"} 1',
      'zitadel_request_duration_seconds_count{endpoint="userinfo",result="ok"} 1',
      'zitadel_request_duration_seconds_count{endpoint="keys",result="ok"} 1',
      'zitadel_request_duration_seconds_count{endpoint="revoke",result="ok"} 1',
      'http_request_duration_seconds_count{method="GET",route="/profile",status="2xx"} 2',
      'http_request_duration_seconds_count{method="GET",route="none",status="4xx"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).not.toContain('nobody');
  });

  it.each([
    ['renewed', null, 200],
    ['rejected', 400, 302],
    ['unavailable', 503, 200],
  ] as const)('count a refresh as %s', async (result, fault, status) => {
    const {
      origin,
      sandbox: zitadel,
      ...running
    } = await startWeb({
      sandbox: { accessTokenTtlSeconds: 60 },
    });
    const browser = running.browser();
    await signIn(browser, 'alice@acme.example');
    moveTime(55_000);
    zitadel.fail('/oauth/v2/token', fault);
    expect((await browser.request('GET', new URL('/profile', origin))).status).toBe(status);
    const text = await metricsOf(origin);
    expect(text).toContain(`refreshes_total{result="${result}"} 1\n`);
    expect(text.includes('sessions_ended_total{reason="refresh_rejected"} 1')).toBe(result === 'rejected');
  });

  it('count introspections and cache hits in the API', async () => {
    const { origin, api: running, sandbox: zitadel } = await startTheApi();
    const { access_token: token } = await serviceUserTokens(
      zitadel,
      `openid urn:zitadel:iam:org:project:id:${zitadel.projectId}:aud`,
    );
    for (let count = 0; count < 3; count++)
      expect((await running.get('/api/v1/app', token)).status).toBe(200);
    expect((await running.get('/api/v1/app', 'x')).status).toBe(401);
    const text = await metricsOf(origin);
    for (const line of [
      'introspections_total{result="active"} 1',
      'introspections_total{result="inactive"} 1',
      'introspection_cache_hits_total{result="active"} 2',
      'zitadel_request_duration_seconds_count{endpoint="introspect",result="ok"} 2',
      'http_request_duration_seconds_count{method="GET",route="/api/v1/app",status="2xx"} 3',
    ])
      expect(text).toContain(`${line}\n`);
  });

  const own = Object.values(networkInterfaces())
    .flat()
    .find((address) => address && !address.internal && address.family === 'IPv4')?.address;

  it.each([
    ['the web application', (env: Record<string, string>) => startWeb({ env })],
    ['the API', startTheApi],
  ])(
    'of %s are served to this machine without a proxy and are 404 for proxied requests',
    async (_name, start) => {
      const { origin } = await start({});
      expect((await fetch(`${origin}/metrics`)).status).toBe(200);
      const unknown = await fetch(`${origin}/no/such/page`, { headers: program });
      const expected = [404, await unknown.text()];
      const shown = async (init: RequestInit) => {
        const answer = await fetch(`${origin}/metrics`, init);
        return [answer.status, await answer.text()];
      };
      for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])
        expect(await shown({ headers: { ...program, [name]: '127.0.0.1' } })).toEqual(expected);
      expect(await shown({ headers: program, method: 'POST' })).toEqual(expected);
    },
  );

  (own ? it : it.skip)('are 404 for another machine', async () => {
    const { origin } = await startWeb();
    const other = new URL('/metrics', origin);
    other.hostname = own ?? '';
    expect((await fetch(other, { headers: program })).status).toBe(404);
  });

  it.each([
    ['the web application', (env: Record<string, string>) => startWeb({ env })],
    ['the API', startTheApi],
  ])('of %s are served with METRICS_TOKEN as bearer token and are 404 otherwise', async (_name, start) => {
    const { origin } = await start({ METRICS_TOKEN: TOKEN });
    const status = async (authorization?: string) =>
      (
        await fetch(`${origin}/metrics`, {
          headers: { ...program, ...(authorization ? { authorization } : {}) },
        })
      ).status;
    expect(await status()).toBe(404);
    expect(await status('Bearer another token')).toBe(404);
    expect(await status(`Basic ${TOKEN}`)).toBe(404);
    // The scheme is case-insensitive (RFC 9110 11.1).
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer '])
      expect(await status(`${scheme} ${TOKEN}`)).toBe(200);
    expect(await status(`Bearer ${TOKEN.toUpperCase()}`)).toBe(404);
    expect(await status(TOKEN)).toBe(404);
  });
});

describe('the request id', () => {
  it.each([
    ['the web application', () => startWeb()],
    ['the API', () => startTheApi()],
  ])(
    'of %s is in every response: the one of a valid X-Request-Id header, or a new one',
    async (_name, start) => {
      const { origin } = await start();
      const nameOf = async (path: string, given?: string) => {
        const answer = await fetch(origin + path, { headers: given ? { 'x-request-id': given } : {} });
        return answer.headers.get('x-request-id');
      };
      for (const path of ['/health/live', '/no/such/page', '/metrics'])
        expect(await nameOf(path, 'proxy-1.a_b')).toBe('proxy-1.a_b');
      const made = [await nameOf('/health/live'), await nameOf('/health/live')];
      expect(made[0]).toMatch(/^[\w-]{36}$/);
      expect(made[1]).not.toBe(made[0]);
      for (const bad of ['a b', 'x'.repeat(65), '<script>', 'a,b'])
        expect(await nameOf('/health/live', bad)).toMatch(/^[\w-]{36}$/);
      const twice = await rawRequest(
        origin,
        'GET /health/live HTTP/1.1\r\nX-Request-Id: a\r\nX-Request-Id: b',
      );
      expect(twice).toMatch(/^X-Request-Id: [\w-]{36}\r$/m);
    },
  );
});

describe('a malformed request', () => {
  const bad: [string, string, string | undefined, number][] = [
    ['without a host', 'GET / HTTP/1.1', '', 400],
    ['with an unknown Expect header', 'GET / HTTP/1.1\r\nExpect: canary', undefined, 417],
    ['that is not HTTP', 'canary', undefined, 400],
  ];
  it.each(bad)('%s gets its status and stops neither program', async (_name, requestLine, host, status) => {
    const programs = [
      await startWeb({ env: { LOG_LEVEL: 'debug' } }),
      await startTheApi({ LOG_LEVEL: 'debug' }),
    ];
    for (const { origin } of programs) {
      expect(await rawRequest(origin, requestLine, host)).toContain(` ${status} `);
      expect((await fetch(`${origin}/health/live`)).status).toBe(200);
    }
  });
});
