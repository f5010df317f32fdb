import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { program, type Browser } from '../support/browser.js';
import { byNobody } from '../support/hostile/signers.js';
import { moveTime } from '../support/move-time.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const secrets = {
  SESSION_SECRET: 'canary-session-secret-1234567890123456789,canary-older-secret-12345678901234567890',
  SESSION_SALT: 'canary-salt',
  ZITADEL_CLIENT_SECRET: 'canary-client-secret',
};
const TOKEN = '/oauth/v2/token';

let app: HostileApp;
const printed: string[] = [];
beforeAll(async () => {
  app = await startHostileApp({ env: { ...secrets, LOG_LEVEL: 'debug' } });
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const)
    jest
      .spyOn(console, level)
      .mockImplementation((...parts) => void printed.push(parts.map(String).join(' ')));
});
afterAll(async () => {
  jest.restoreAllMocks();
  await app.close();
});
afterEach(() => app.provider.fault(TOKEN, null));

/** Everything that was logged or printed so far. */
const logged = () => [...app.log, ...printed].join('\n');

/** The secrets that the provider issued. */
function tokens(): string[] {
  return app.provider.logins.flatMap(({ code, accessTokens, refreshTokens, idTokens }) => [
    code,
    ...accessTokens,
    ...refreshTokens,
    ...idTokens,
    // A token without its signature is a secret, too.
    ...idTokens.flatMap((token) => token.split('.').slice(1)),
  ]);
}

/** The secrets that were sent to the provider. */
const sent = () =>
  app.provider.requests.flatMap(({ form, headers }) =>
    [form['code_verifier'], headers.authorization?.replace(/^\w+ /, '')].filter(
      (value) => value !== undefined,
    ),
  );

const cookieValues = (browser: Browser) =>
  browser.answers
    .flatMap(({ response }) => [response.headers['set-cookie'] ?? []].flat())
    .map((line) => line.slice(line.indexOf('=') + 1, line.indexOf(';')))
    .filter((value) => value.length > 8);

function expectNone(canaries: string[], text: string) {
  for (const canary of canaries) expect(text.includes(canary) ? canary : '').toBe('');
}

/** Signs in, refreshes the tokens, requests userinfo and signs out. */
async function wholeVisit(): Promise<Browser> {
  const browser = app.browser();
  await app.signIn(browser, { tokenAnswer: { expires_in: 1 } });
  moveTime(1_050);
  for (const path of [
    '/profile',
    '/admin',
    '/',
    '/auth/userinfo',
    '/auth/session',
    '/auth/csrf',
    '/auth/providers',
  ])
    expect((await browser.get(path)).status).toBe(200);
  expect(app.provider.lastLogin.refreshTokens).toHaveLength(2);
  expect((await app.logOut(browser)).url.pathname).toBe('/auth/logout/success');
  return browser;
}

describe('the log', () => {
  it('of a sign-in, a refresh and a sign-out contains no token, code, secret or cookie', async () => {
    const browser = await wholeVisit();
    expect(tokens().length).toBeGreaterThan(8);
    expect(cookieValues(browser).length).toBeGreaterThan(3);
    expectNone([...tokens(), ...sent(), ...cookieValues(browser)], logged());
    expect(logged()).not.toMatch(/canary|eyJ/);
  });

  it('of an accepted and a refused back-channel logout contains no logout token', async () => {
    await app.signIn(app.browser());
    for (const claims of [{}, { aud: 'another' }]) {
      const token = await app.provider.logoutToken({ claims });
      await fetch(`${app.origin}/auth/backchannel-logout`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: token }),
      });
      expectNone([token, ...token.split('.').slice(1)], logged());
    }
  });

  it('of a refused logout token has no forged line and no stack', async () => {
    const before = app.log.length;
    const token = await app.provider.logoutToken({
      header: { crit: ['x\n[Nest] FORGED'] },
      sign: byNobody('RS256'),
    });
    const body = new URLSearchParams({ logout_token: token });
    const response = await fetch(`${app.origin}/auth/backchannel-logout`, { method: 'POST', body });
    expect(response.status).toBe(400);
    const said = app.log.slice(before).join('\n');
    expect(said).toContain('FORGED');
    expect(said).not.toMatch(/^\[Nest\] FORGED|^ +at /m);
  });

  it('contains no token or code when the provider repeats it in an error', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    const { code } = app.provider.lastLogin;
    const body = (given: string) =>
      JSON.stringify({ error: 'invalid_grant', error_description: `not good: ${given}` });
    app.provider.fault(TOKEN, { status: 400, body: body(code) });
    expect((await browser.get(callback)).status).toBeGreaterThanOrEqual(400);
    app.provider.fault(TOKEN, null);

    const due = app.browser();
    await app.signIn(due, { tokenAnswer: { expires_in: 1 } });
    const [refreshToken = ''] = app.provider.lastLogin.refreshTokens;
    moveTime(1_050);
    app.provider.fault(TOKEN, { status: 400, body: body(refreshToken) });
    expect((await due.get('/auth/userinfo', program)).status).toBe(401);
    expect(logged()).toContain('error');
    expectNone([code, refreshToken, ...tokens(), ...sent()], logged());
    expect(logged()).not.toMatch(/canary|eyJ/);
  });

  it('of failed callbacks contains no parameter of the callback', async () => {
    for (const name of ['code', 'state', 'iss', 'error_description']) {
      const browser = app.browser();
      const callback = await app.callbackOf(browser);
      callback.searchParams.set(name, `canary-${name}`);
      await browser.get(callback);
    }
    const browser = app.browser();
    const refused = await app.callbackOf(browser, { tokenAnswer: { id_token: 'eyJ.canary.id-token' } });
    expect((await browser.get(refused)).status).toBe(502);
    expect(app.log.length).toBeGreaterThan(0);
    expect(logged()).not.toMatch(/canary-(code|state|iss|error_description)|canary\.id-token/);
  });
});

describe('a response to the browser', () => {
  it('contains no token in body or address, except id_token_hint in the sign-out redirect', async () => {
    const browser = await wholeVisit();
    const ours = browser.answers.filter(({ url }) => url.origin === app.origin);
    expect(ours.length).toBeGreaterThan(10);
    for (const { url, response } of ours) {
      const { location = '', 'set-cookie': cookies = '' } = response.headers as Record<string, string>;
      const isLogout = url.pathname === '/auth/logout';
      const address = isLogout ? location.replace(/id_token_hint=[^&]+/, '') : location;
      const given = `${response.text ?? ''}\n${address}\n${String(cookies)}`;
      expectNone(tokens(), given);
      expect(response.text ?? '').not.toMatch(/\b(at|rt)-[\w-]{20}|id_token|access_token|refresh_token|eyJ/);
      expect(url.pathname === '/auth/callback' ? '' : url.href).not.toMatch(/code-|\b(at|rt)-[\w-]{20}/);
    }
  });
});
