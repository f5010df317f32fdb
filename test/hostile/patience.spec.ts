import { afterEach, describe, expect, it } from '@jest/globals';
import { program, type Browser } from '../support/browser.js';
import { moveTime } from '../support/move-time.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/oauth/v2/keys';
const TOKEN = '/oauth/v2/token';
const USERINFO = '/oidc/v1/userinfo';
const HEALTH = '/debug/healthz';

let app: HostileApp;
afterEach(() => app.close());

const busy = (path: string, status: number, retryAfter = '20', headers: Record<string, string> = {}) =>
  app.provider.fault(path, { status, headers: { 'retry-after': retryAfter, ...headers } });

const asked = (path: string) => app.provider.requestsTo(path).length;

/** The final status of a sign-in by a program that follows redirects. */
async function signInOfAProgram(browser: Browser): Promise<{ status: number; retryAfter: number }> {
  const start = await browser.request('GET', new URL('/auth/login', app.origin));
  const csrfToken = /name="csrfToken" value="(\w+)"/.exec(start.text)?.[1] ?? '';
  const signIn = new URL('/auth/signin/zitadel', app.origin);
  let answer = await browser.request('POST', signIn, new URLSearchParams({ csrfToken }), program);
  while (answer.status === 302 || answer.status === 303) {
    const next = new URL(String(answer.headers['location']), app.origin);
    answer = await browser.request('GET', next, undefined, program);
  }
  return { status: answer.status, retryAfter: Number(answer.headers['retry-after']) };
}

describe.each([429, 503])('when the provider responds with %i and Retry-After,', (status) => {
  it.each([DISCOVERY, KEYS, TOKEN, USERINFO])(
    'no request is sent to %s before that time: a sign-in ends with provider_unavailable and 503 with Retry-After',
    async (path) => {
      app = await startHostileApp();
      // The documents read at start are read again after a day.
      moveTime(25 * 60 * 60_000);
      busy(path, status);
      const before = asked(path);
      const { status: answered, retryAfter } = await signInOfAProgram(app.browser());
      expect([answered, asked(path)]).toEqual([503, before + 1]);
      expect(retryAfter).toBeGreaterThan(15);
      expect(retryAfter).toBeLessThanOrEqual(20);

      const browser = app.browser();
      expect(refusalOf(await app.signIn(browser))).toEqual(refused('provider_unavailable'));
      expect(asked(path)).toBe(before + 1);
      expect(await app.session(browser)).toBeNull();

      app.provider.fault(path, null);
      moveTime(21_000);
      expect((await app.signIn(browser)).url.pathname).toBe('/profile');
    },
  );

  it('no userinfo request is sent before that time: the session stays, and /auth/userinfo returns 503 with Retry-After', async () => {
    app = await startHostileApp();
    const browser = app.browser();
    await app.signIn(browser);
    busy(USERINFO, status);
    const before = asked(USERINFO);
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await browser.get('/auth/userinfo', program);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(15);
    }
    // The reload of the user on a page sends no request either.
    moveTime(10_000);
    expect((await browser.get('/profile')).status).toBe(200);
    expect(asked(USERINFO)).toBe(before + 1);
    app.provider.fault(USERINFO, null);
    moveTime(11_000);
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
  });

  it('no refresh is sent before that time: the session stays, and /auth/userinfo returns 503 with Retry-After', async () => {
    app = await startHostileApp();
    const browser = app.browser();
    await app.signIn(browser, { tokenAnswer: { expires_in: 1 } });
    moveTime(1_050);
    busy(TOKEN, status);
    const before = asked(TOKEN);
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await browser.get('/auth/userinfo', program);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(10);
      moveTime(2_500);
    }
    expect(asked(TOKEN)).toBe(before + 1);
    app.provider.fault(TOKEN, null);
    moveTime(20_000);
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
  });
});

describe('Retry-After from the provider', () => {
  const retryAfterFor = async (value: string, headers?: Record<string, string>) => {
    app = await startHostileApp();
    const browser = app.browser();
    await app.signIn(browser);
    busy(USERINFO, 429, value, headers);
    return Number((await browser.get('/auth/userinfo', program)).headers['retry-after']);
  };

  it('may be a date, which is compared with the Date header', async () => {
    const now = Date.now() + 3_600_000;
    const at = (ms: number) => new Date(ms).toUTCString();
    expect(await retryAfterFor(at(now + 40_000), { date: at(now) })).toBe(40);
  });

  it('is limited to five minutes', async () => {
    expect(await retryAfterFor('86400')).toBe(300);
  });

  it.each(['', 'soon', '-5', '0', '1e3'])('is ignored when it is invalid: %j', async (value) => {
    expect(await retryAfterFor(value)).toBe(10);
    expect(asked(USERINFO)).toBe(2);
    app.provider.fault(USERINFO, null);
  });
});

it('a health check that returns 429 counts as reachable: sign-ins are redirected to the provider', async () => {
  app = await startHostileApp();
  await app.signIn(app.browser());
  busy(HEALTH, 429);
  for (let attempt = 0; attempt < 2; attempt++) {
    moveTime(3_000);
    expect((await app.signIn(app.browser())).url.pathname).toBe('/profile');
  }
  expect(asked(HEALTH)).toBe(1);
});
