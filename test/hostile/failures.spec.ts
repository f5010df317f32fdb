import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from '../support/browser.js';
import type { Fault } from '../support/hostile/fault.js';
import { mutations } from '../support/hostile/mutations.js';
import { signInFailures } from '../support/reasons.js';
import { refusalOf } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { textOf } from '../support/text-of.js';
import { until } from '../support/until.js';

const CLIENT_SECRET = 'a-client-secret-nobody-may-see';

// The logger is global in Nest and belongs to the application started last, so this file starts only one.
let app: HostileApp;
let browser: Browser;
beforeAll(async () => {
  app = await startHostileApp({ env: { ZITADEL_CLIENT_SECRET: CLIENT_SECRET } });
});
afterAll(() => app.close());
beforeEach(() => {
  browser = app.browser();
});

describe('an error page', () => {
  const inside = new RegExp(
    [
      String.raw`\bat .+:\d+:\d+`,
      'node_modules',
      String.raw`\.[jt]s:\d`,
      'eyJ',
      'code-',
      'at-[A-Za-z0-9_-]{20}',
      'rt-[A-Za-z0-9_-]{20}',
      CLIENT_SECRET,
      'Exception',
      'TypeError',
    ].join('|'),
  );
  const TOKEN = '/oauth/v2/token';
  const USERINFO = '/oidc/v1/userinfo';
  const faulty = async (path: string, fault: Fault) => {
    app.provider.fault(path, fault);
    const page = await app.signIn(browser);
    app.provider.fault(path, null);
    return page;
  };

  const provoked: [string, () => Promise<Page>][] = [
    ['a wrong issuer', () => app.signIn(browser, mutations['wrong-issuer'])],
    ['a foreign signature', () => app.signIn(browser, mutations['signed-by-a-stranger'])],
    ['an expired ID token', () => app.signIn(browser, mutations['long-expired'])],
    ['another nonce', () => app.signIn(browser, mutations['other-nonce'])],
    ['another sub in userinfo', () => app.signIn(browser, mutations['other-sub-in-userinfo'])],
    ['a token_type that is not bearer', () => app.signIn(browser, mutations['no-bearer'])],
    ['no ID token', () => app.signIn(browser, { tokenAnswer: { id_token: undefined } })],
    [
      'the error access_denied',
      () => app.signIn(browser, { callback: { code: undefined, error: 'access_denied' } }),
    ],
    [
      'the error server_error',
      () => app.signIn(browser, { callback: { code: undefined, error: 'server_error' } }),
    ],
    ['an unknown state', () => app.signIn(browser, { callback: { state: 'unknown' } })],
    ['a wrong iss', () => app.signIn(browser, { callback: { iss: 'https://evil.example' } })],
    ['an unknown code', () => app.signIn(browser, { callback: { code: 'unknown' } })],
    ['no code', () => app.signIn(browser, { callback: { code: undefined } })],
    ['a token endpoint that fails', () => faulty(TOKEN, { status: 500, body: 'stack at x.js:1:1' })],
    ['a token endpoint that refuses', () => faulty(TOKEN, { status: 400 })],
    ['a token endpoint without JSON', () => faulty(TOKEN, { body: '<html>' })],
    ['a token endpoint that hangs up', () => faulty(TOKEN, { hangUp: true })],
    ['a userinfo endpoint that fails', () => faulty(USERINFO, { status: 503 })],
    ['a userinfo endpoint without JSON', () => faulty(USERINFO, { body: 'oops' })],
    ['userinfo that is too large', () => app.signIn(browser, { userinfo: { name: randomText(9_000) } })],
  ];

  it.each(provoked)('reveals no internals and has a reference that is in the log: %s', async (_name, act) => {
    const page = await act();
    expect(refusalOf(page).hasItsStatus).toBe(true);
    expect(page.text).not.toMatch(inside);
    const reference = /[0-9a-f]{12}/.exec(textOf(page))?.[0] ?? '';
    expect(reference).toMatch(/^[0-9a-f]{12}$/);
    expect(page.text).toContain(reference);
    expect(app.log.filter((line) => line.includes(reference))).not.toEqual([]);
  });

  it.each([
    ['a foreign signature', () => app.signIn(browser, mutations['signed-by-a-stranger'])],
    ['no ID token', () => app.signIn(browser, { tokenAnswer: { id_token: undefined } })],
    ['another sub in userinfo', () => app.signIn(browser, mutations['other-sub-in-userinfo'])],
    ['a userinfo endpoint that fails', () => faulty(USERINFO, { status: 503 })],
    ['a userinfo endpoint that refuses', () => faulty(USERINFO, { status: 403 })],
    ['a userinfo endpoint without JSON', () => faulty(USERINFO, { body: 'oops' })],
    ['userinfo that is too large', () => app.signIn(browser, { userinfo: { name: randomText(9_000) } })],
  ])('after the code exchange is preceded by one revocation of the refresh token: %s', async (_name, act) => {
    await act();
    const tokens = app.provider.lastLogin.refreshTokens;
    expect(tokens).toHaveLength(1);
    await until(() => tokens.every((token) => app.provider.revokedTokens().includes(token)));
    await app.signIn(browser);
    expect(app.provider.revokedTokens().filter((token) => tokens.includes(String(token)))).toEqual(tokens);
  });

  it.each([
    ['GET', '/auth/callback?state=%00&code=%00', 400],
    ['GET', '/auth/%', 400],
    ['POST', '/auth/callback', 0],
    ['GET', '/no/such/page?x=<script>', 404],
    ['GET', '/auth/error?reason[]=x&ref=<script>alert(1)</script>', 0],
    ['GET', '/auth/logout/error?reason=__proto__', 0],
    ['GET', '/auth/login?callbackUrl[a]=x&login_hint[]=y', 0],
    ['PATCH', '/auth/logout', 0],
  ])('reveals no internals for %s %s', async (method, path, status) => {
    const response = await browser.request(method, new URL(path, app.origin));
    expect(response.status).toBeLessThan(500);
    if (status) expect([response.status, 302, 303]).toContain(response.status);
    expect(response.text).not.toMatch(inside);
    expect(response.text).not.toContain('<script>alert');
  });

  const linesAbout = (page: Page) => {
    const reference = /[0-9a-f]{12}/.exec(textOf(page))?.[0] ?? 'none';
    return app.log.filter((line) => line.includes(reference));
  };

  it.each([
    ['invalid_request', 'Errors.Org.NotFound', 'warn'],
    ['access_denied', 'Errors.User.Locked', 'warn'],
    ['unauthorized_client', 'The requested response type is missing', 'error'],
    ['server_error', 'Errors.Internal', 'error'],
  ])(
    'has a reference to one log line with the error of the provider: %s, %s',
    async (error, description, level) => {
      const callback = { code: undefined, error, error_description: description };
      const lines = linesAbout(await app.signIn(browser, { callback }));
      expect(lines).toEqual([
        expect.stringContaining(`answer {"error":"${error}","description":"${description}"}`),
      ]);
      expect(lines[0]).toMatch(new RegExp(`^${level} Sign-in failed \\(\\w+, reference \\w{12}\\): `));
      expect(lines[0]).not.toMatch(/^\s*at |node_modules/m);
    },
  );

  it('has a reference to a log line with the error of the provider when the callback belongs to no sign-in', async () => {
    const callback = { state: 'unknown', code: undefined, error: 'access_denied', error_description: 'No.' };
    const [line] = linesAbout(await app.signIn(browser, { callback }));
    expect(line).toMatch(/state_invalid.*answer \{"error":"access_denied","description":"No\."\}/);
  });

  it('has a reference to a log line of 1,500 characters at most, however long the error of the provider is', async () => {
    const callback = {
      code: undefined,
      error: 'invalid_request',
      error_description: `x${'y'.repeat(3_000)}\u0007`,
    };
    const [line = ''] = linesAbout(await app.signIn(browser, { callback }));
    expect(line).toContain('"description":"xyyy');
    expect(line.length).toBeLessThan(1_500);
  });

  it.each([
    ['an unknown state', () => app.signIn(browser, { callback: { state: 'unknown' } }), 'state_invalid'],
    ['no cookie', async () => app.browser().get(await app.callbackOf(app.browser())), 'cookie_missing'],
    ['a wrong iss', () => app.signIn(browser, { callback: { iss: 'https://evil.example' } }), 'check_failed'],
    ['an unknown code', () => app.signIn(browser, { callback: { code: 'unknown' } }), 'login_already_used'],
  ])(
    'has a reference to a log line without a stack when the cause is not in this program: %s',
    async (_name, act, reason) => {
      const lines = linesAbout(await act());
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(`warn Sign-in failed (${reason}, reference `);
      expect(lines[0]).not.toMatch(/^\s*at |A non-Error value/m);
    },
  );

  it.each(['server_error', 'temporarily_unavailable', 'unauthorized_client', 'invalid_scope', 'made_up'])(
    'has a 4xx status when the error was written into the address of the callback: %s',
    async (error) => {
      for (const accept of ['text/html', 'application/json']) {
        const callback = await app.callbackOf(browser, { callback: { code: undefined, error } });
        const { status, headers } = await browser.request('GET', callback, undefined, {
          accept,
          'sec-fetch-mode': accept === 'text/html' ? 'navigate' : 'cors',
        });
        expect(status).toBe(accept === 'text/html' ? 302 : 400);
        if (status === 302) expect((await browser.get(String(headers['location']))).status).toBe(400);
      }
    },
  );

  it.each([...signInFailures, 'made_up'])(
    'has a 4xx status when it is opened by its address: %s',
    async (reason) => {
      const { status } = await browser.get(`/auth/error?reason=${reason}`);
      expect(status).toBe(reason === 'access_denied' ? 403 : 400);
    },
  );

  it('has a reference to a log line with a stack when an operator has to act', async () => {
    const [line] = linesAbout(await app.signIn(browser, mutations['other-sub-in-userinfo']));
    expect(line).toMatch(/^\s+at /m);
  });

  it('never leads to a forged log line', async () => {
    const forged = 'x\r\nerror FORGED line';
    const start = app.log.length;
    await app.signIn(browser, { callback: { code: undefined, error: forged, error_description: forged } });
    await app.signIn(browser, {
      callback: { code: undefined, error: 'access_denied', error_description: forged },
    });
    await app.signIn(browser, { callback: { state: forged } });
    await app.signIn(browser, { callback: { iss: forged } });
    await app.signIn(browser, { idToken: { claims: { iss: forged, sub: forged } } });
    await faulty(TOKEN, { status: 400, body: JSON.stringify({ error: forged, error_description: forged }) });
    await browser.get(`/no/such/${encodeURIComponent(forged)}`);
    const logged = app.log.slice(start);
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toMatch(/^\W*error FORGED/m);
  });
});

const randomText = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('');
