import { request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { signIn } from './support/sign-in.js';
import { environment, redirectUrisOf } from './support/start-app.js';
import { withPort } from './support/with-port.js';

let origin: string;
let appPort: number;
let certificate: { cert: string; private: string };
let sandbox: Sandbox;
let web: RunningProgram;
let proxy: Server;

/** A proxy that terminates TLS and adds no headers. */
function tlsProxy(key: string, cert: string, port: number): Server {
  return createServer({ key, cert }, (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const passed = httpRequest({ host: 'localhost', port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
}

beforeAll(async () => {
  const publicPort = await freePort();
  appPort = await freePort();
  origin = `https://localhost:${publicPort}`;
  certificate = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  sandbox = await startSandbox({
    web: redirectUrisOf(origin),
  });
  const env = {
    ...environment(origin, sandbox),
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    PORT: String(appPort),
  };
  web = runProgram(process.execPath, [resolve('dist/main.js')], env);
  proxy = tlsProxy(certificate.private, certificate.cert, appPort);
  await new Promise<void>((listening) => proxy.listen(publicPort, listening));
  await web.says('Ready at');
});

afterAll(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await web?.stop();
  await sandbox?.close();
});

it('a user signs in and out in production behind a proxy that terminates TLS', async () => {
  const browser = new Browser(origin, certificate.cert);
  const profile = await signIn(browser, 'alice@acme.example', '/profile');
  expect(profile.url.href).toBe(`${origin}/profile`);
  expect(profile.text).toContain('Alice Archer');
  expect(profile.headers['strict-transport-security']).toContain('max-age=31536000');

  const cookies = await browser.cookies();
  expect(cookies.map(({ key }) => key)).toEqual(
    expect.arrayContaining(
      ['__Host-authjs.session-token', '__Host-authjs.csrf-token'].map((name) => withPort(name, origin)),
    ),
  );
  for (const cookie of cookies.filter(({ key }) => key.includes('authjs'))) {
    expect(cookie).toMatchObject({
      secure: true,
      httpOnly: true,
      path: '/',
      sameSite: 'lax',
      domain: 'localhost',
      hostOnly: true,
    });
    expect(cookie.key).toMatch(/^__Host-/);
  }

  const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
  expect(page.url.href).toBe(`${origin}/auth/logout/success`);
  expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  expect(web.output()).not.toMatch(/eyJ|Alice/);
});

it('no address is built from Host or X-Forwarded headers in production', async () => {
  const direct = new Browser(`http://localhost:${appPort}`);
  const forged = { host: 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example' };
  const login = await direct.get('/auth/login', forged);
  expect(login.headers['set-cookie']?.toString()).toMatch(/^__Host-authjs\.csrf-token-\d+=.*Secure/);
  expect(login.text).not.toContain('evil');
  const csrfToken = login.document.querySelector('input[name="csrfToken"]')?.getAttribute('value') ?? '';
  const cookie = login.headers['set-cookie']?.toString().split(';')[0] ?? '';
  const target = new URL('/auth/signin/zitadel', direct.origin);
  const response = await direct.request('POST', target, new URLSearchParams({ csrfToken }), {
    ...forged,
    cookie,
  });
  const authorize = new URL(response.headers['location'] ?? '');
  expect(authorize.searchParams.get('redirect_uri')).toBe(`${origin}/auth/callback`);
  expect(String(response.headers['set-cookie'])).not.toContain('evil');
});
