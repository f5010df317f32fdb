import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from './support/browser.js';
import { FailuresController } from './support/failures.controller.js';
import { freePort } from './support/free-port.js';
import { signIn } from './support/sign-in.js';
import { environment, launch, startApp, type RunningApp } from './support/start-app.js';

let app: RunningApp;
let alice: Browser;
/** the same application with an https origin, requested directly */
let secure: { origin: string; close(): Promise<void> };
let sandbox: Sandbox;
let limited: RunningApp;

beforeAll(async () => {
  [app, limited, sandbox] = await Promise.all([
    startApp({ controllers: [FailuresController] }),
    startApp({ env: { AUTH_RATE_LIMIT: '1' } }),
    startSandbox(),
  ]);
  alice = app.browser();
  await signIn(alice, 'alice@acme.example');
  const port = await freePort();
  const behindProxy = await launch({ ...environment(`https://localhost:${port}`, sandbox) }, port, {
    controllers: [FailuresController],
  });
  secure = { origin: `http://localhost:${port}`, close: () => behindProxy.close() };
}, 30_000);
afterAll(() => Promise.all([app, limited, secure, sandbox].map((server) => server?.close())));

const program = { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };

interface Kind {
  kind: string;
  path: string;
  status: number;
  method?: string;
  headers?: Record<string, string>;
  isSignedIn?: boolean;
  body?: string;
}

const kinds: Kind[] = [
  { kind: 'a public page', path: '/', status: 200 },
  { kind: 'the login page', path: '/auth/login', status: 200 },
  { kind: 'a page with personal data', path: '/profile', status: 200, isSignedIn: true },
  { kind: 'the landing page of a signed-in user', path: '/', status: 200, isSignedIn: true },
  { kind: 'JSON', path: '/auth/session', status: 200, headers: program },
  {
    kind: 'JSON about a signed-in user',
    path: '/auth/session',
    status: 200,
    isSignedIn: true,
    headers: program,
  },
  { kind: 'claims', path: '/auth/userinfo', status: 200, isSignedIn: true, headers: program },
  { kind: 'the CSRF token', path: '/auth/csrf', status: 200, headers: program },
  { kind: 'the providers', path: '/auth/providers', status: 200, headers: program },
  { kind: 'a redirect to the login page', path: '/profile', status: 302 },
  { kind: 'a redirect of a signed-in user', path: '/auth/login', status: 302, isSignedIn: true },
  { kind: 'a redirect after a sign-out', path: '/auth/logout/callback', status: 302 },
  { kind: 'a callback that fails', path: '/auth/callback?code=x&state=y', status: 302 },
  { kind: 'a 401 for a program', path: '/profile', status: 401, headers: program },
  { kind: 'a role page without a session', path: '/admin', status: 401, headers: program },
  { kind: 'a form without its CSRF token', path: '/auth/logout', method: 'POST', status: 403, body: 'x=1' },
  {
    kind: 'a form that is too large',
    path: '/auth/logout',
    method: 'POST',
    status: 413,
    body: 'x'.repeat(40_000),
  },
  { kind: 'a malformed path', path: '/auth/%', status: 400 },
  ...[400, 401, 403, 404, 405, 413, 429, 500, 502, 503].flatMap((status): Kind[] => [
    { kind: `an error page ${status}`, path: `/failures/${status}`, status },
    { kind: `an error ${status} as JSON`, path: `/failures/${status}`, status, headers: program },
  ]),
  { kind: 'an unknown page', path: '/no/such/page', status: 404 },
  { kind: 'an unknown page for a program', path: '/no/such/page', status: 404, headers: program },
  { kind: 'an unknown static file', path: '/static/none.css', status: 404 },
  { kind: 'a wrong method', path: '/profile', method: 'DELETE', status: 405 },
  { kind: 'a wrong method of a static file', path: '/static/app.css', method: 'POST', status: 405 },
  { kind: 'HEAD of a page', path: '/', method: 'HEAD', status: 200 },
  {
    kind: 'HEAD of a page with personal data',
    path: '/profile',
    method: 'HEAD',
    status: 200,
    isSignedIn: true,
  },
  { kind: 'HEAD of JSON', path: '/auth/providers', method: 'HEAD', status: 200 },
  { kind: 'HEAD of an unknown page', path: '/no/such/page', method: 'HEAD', status: 404 },
  { kind: 'OPTIONS of a page', path: '/profile', method: 'OPTIONS', status: 405 },
  { kind: 'OPTIONS below /auth', path: '/auth/session', method: 'OPTIONS', status: 405 },
  { kind: 'OPTIONS of an unknown page', path: '/no/such/page', method: 'OPTIONS', status: 404 },
  {
    kind: 'a back-channel logout that is refused',
    path: '/auth/backchannel-logout',
    method: 'POST',
    status: 400,
  },
];

const files: Kind[] = [
  { kind: 'a style sheet', path: '/static/app.css', status: 200 },
  { kind: 'a script', path: '/static/app.js', status: 200 },
  { kind: 'a picture', path: '/static/icon.svg', status: 200 },
  { kind: '/favicon.ico', path: '/favicon.ico', status: 200 },
  { kind: 'HEAD of a file', path: '/static/app.css', method: 'HEAD', status: 200 },
  { kind: 'a range of a file', path: '/static/app.css', headers: { range: 'bytes=0-9' }, status: 206 },
];

function ask(origin: string, { path, method = 'GET', headers, isSignedIn, body }: Kind) {
  const browser = isSignedIn ? alice : new Browser(origin);
  const form = body === undefined ? undefined : new URLSearchParams(body);
  return browser.request(method, new URL(origin + path), form, headers);
}

function expectSecurityHeaders({ headers }: Response) {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': expect.stringMatching(/^(same-origin|no-referrer|strict-origin-when-cross-origin)$/),
    'permissions-policy': expect.stringMatching(/\bcamera=\(\).*\bgeolocation=\(\).*\bmicrophone=\(\)/),
  });
  // Browsers warn about this unknown feature.
  expect(headers['permissions-policy']).not.toContain('bluetooth');
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).not.toHaveProperty('server');
  const policy = String(headers['content-security-policy']);
  const directives = Object.fromEntries(
    policy.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(/\s+/);
      return [name, sources.join(' ')];
    }),
  );
  expect(policy).not.toMatch(/unsafe-|\*|\bhttps?:(\s|;|$)/);
  expect(directives).toMatchObject({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
  });
  expect(directives['form-action']).toMatch(/^'self' http:\/\/localhost:\d+$/);
}

describe('the response for', () => {
  it.each([...kinds, ...files])('$kind has the security headers', async (kind) => {
    const response = await ask(app.origin, kind);
    expect(response.status).toBe(kind.status);
    expectSecurityHeaders(response);
    expect(response.headers).not.toHaveProperty('strict-transport-security');
  });

  it('a rate-limited request has the security headers and no-store', async () => {
    await fetch(`${limited.origin}/auth/initiate`);
    const response = await ask(limited.origin, { kind: '', path: '/auth/initiate', status: 429 });
    expect(response.status).toBe(429);
    expectSecurityHeaders(response);
    expect(response.headers['cache-control']).toBe('no-store');
  });
});

describe('Cache-Control', () => {
  it.each(kinds)('is no-store with Vary: Cookie for $kind', async (kind) => {
    const { headers } = await ask(app.origin, kind);
    expect(headers).toMatchObject({ 'cache-control': expect.stringMatching(/(^|, )no-store$/) });
    expect(headers).not.toHaveProperty('etag');
    if (!kind.path.startsWith('/static/')) expect(headers['vary']).toMatch(/\bCookie\b/);
  });

  it.each(files)('allows storage of $kind, which sets no cookie', async (file) => {
    const { headers } = await ask(app.origin, file);
    expect(headers['cache-control']).not.toContain('no-store');
    expect(headers).not.toHaveProperty('set-cookie');
  });
});

describe('with an https origin,', () => {
  const isAnonymous = ({ isSignedIn }: Kind) => !isSignedIn;

  it.each([...kinds, ...files].filter(isAnonymous))(
    'the response for $kind has Strict-Transport-Security and upgrade-insecure-requests',
    async (kind) => {
      const { headers, status } = await ask(secure.origin, kind);
      expect(status).toBe(kind.status);
      expect(headers['strict-transport-security']).toMatch(/^max-age=(31536000|63072000)\b/);
      expect(headers['content-security-policy']).toContain('upgrade-insecure-requests');
    },
  );
});
