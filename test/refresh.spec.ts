import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import supertest from 'supertest';
import type { WebClientOptions } from 'zitadel-sandbox';
import type { Browser } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { moveTime } from './support/move-time.js';
import { signIn } from './support/sign-in.js';
import { environment, launch, startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';
import { withPort } from './support/with-port.js';
import { metricsOf } from './support/metrics.js';

const TOKEN = '/oauth/v2/token';
/** The pause after a failed token request, measured with a clock that moveTime() does not change. */
const RETRY_MS = 2_100;
const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());
afterEach(() => {
  app.sandbox.delay(TOKEN, 0);
  app.sandbox.fail(TOKEN, null);
  app.sandbox.setAccessTokenTtl(43_200);
});

const refreshes = () => app.sandbox.grants('refresh_token');

/** Signs in with an access token that is due by now. */
async function signInDue(loginName = 'alice@acme.example'): Promise<Browser> {
  app.sandbox.setAccessTokenTtl(60);
  const browser = app.browser();
  await signIn(browser, loginName);
  app.sandbox.setAccessTokenTtl(43_200);
  moveTime(55_000);
  return browser;
}

const navigation = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

/** A request with a fixed `Cookie` header, to be sent concurrently. */
const request = (cookie: string, path = '/profile') =>
  fetch(app.origin + path, { redirect: 'manual', headers: { cookie } });

describe('when the access token is due,', () => {
  it('fifty concurrent requests lead to one refresh and all succeed', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    const before = refreshes().length;
    app.sandbox.delay(TOKEN, 300);
    const answers = await Promise.all(times(50, () => request(cookie)));
    expect(answers.map(({ status }) => status)).toEqual(times(50, () => 200));
    expect(refreshes()).toHaveLength(before + 1);
    for (const answer of answers) expect(answer.headers.getSetCookie().join()).toContain('session-token');
  });

  it('a late request with the old session cookie gets the refreshed tokens without another refresh', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    const before = refreshes().length;
    await browser.get('/profile');
    moveTime(200);
    expect((await request(cookie)).status).toBe(200);
    expect((await request(cookie, '/auth/userinfo')).status).toBe(200);
    expect(refreshes()).toHaveLength(before + 1);
  });

  it('an old session cookie gets the refreshed tokens 50 minutes later', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    const before = refreshes().length;
    expect((await request(cookie)).status).toBe(200);
    moveTime(3_000_000);
    const answer = await request(cookie, '/auth/userinfo');
    expect(answer.status).toBe(200);
    expect(refreshes()).toHaveLength(before + 1);
    expect(answer.headers.getSetCookie().join()).toContain('session-token');
  });

  it('any request refreshes the tokens once, and the browser stores the new session cookie', async () => {
    const browser = await signInDue();
    const before = refreshes().length;
    await browser.request('HEAD', new URL('/profile', app.origin));
    for (let view = 0; view < 5; view++) expect((await browser.get('/profile')).status).toBe(200);
    expect(refreshes()).toHaveLength(before + 1);
    const restarted = app.browser();
    for (const cookie of await browser.cookies())
      await restarted.jar.setCookie(cookie.cookieString(), app.origin);
    expect((await restarted.get('/auth/userinfo')).status).toBe(200);
    expect(refreshes()).toHaveLength(before + 1);
  });

  it('the refreshed cookie is sent even if the old cookie was also due to slide', async () => {
    const sliding = await startApp({
      env: { SESSION_DURATION: '120' },
      sandbox: { accessTokenTtlSeconds: 20 },
    });
    try {
      const browser = sliding.browser();
      await signIn(browser, 'alice@acme.example');
      sliding.sandbox.setAccessTokenTtl(43_200);
      moveTime(19_000);
      const old = await browser.cookieHeader();
      expect((await browser.get('/profile')).status).toBe(200);
      expect(await browser.cookieHeader()).not.toBe(old);
      const late = await fetch(`${sliding.origin}/`, { headers: { cookie: old } });
      expect(late.headers.getSetCookie().join()).not.toContain('session-token');
      expect((await browser.get('/auth/userinfo')).status).toBe(200);
      expect(sliding.sandbox.grants('refresh_token')).toHaveLength(1);
    } finally {
      await sliding.close();
    }
  });

  it('the refreshed ID token is used at sign-out', async () => {
    const browser = await signInDue();
    const profile = await browser.get('/profile');
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.url.pathname).toBe('/auth/logout/success');
  });

  it('public pages and requests of other users do not wait for the refresh', async () => {
    const browser = await signInDue();
    const other = app.browser();
    await signIn(other, 'bob@acme.example');
    const before = refreshes().length;
    app.sandbox.delay(TOKEN, 3_000);
    const cookie = await browser.cookieHeader();
    let isRenewed = false;
    const slow = request(cookie).finally(() => (isRenewed = true));
    expect((await request(cookie, '/')).status).toBe(200);
    expect((await request(cookie, '/auth/session')).status).toBe(200);
    expect((await other.get('/profile')).status).toBe(200);
    expect(isRenewed).toBe(false);
    expect((await slow).status).toBe(200);
    expect(refreshes()).toHaveLength(before + 1);
  });
});

describe('when Zitadel refuses a refresh,', () => {
  it('the session ends with refresh_rejected for ten concurrent requests after one token request', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    app.sandbox.expire('refresh_tokens');
    const before = refreshes().length;
    const answers = await Promise.all(times(10, () => request(cookie)));
    expect(answers.map(({ status }) => status)).toEqual(times(10, () => 401));
    expect(await answers[0]?.json()).toMatchObject({
      code: 'AUTH_SESSION_ENDED',
      reason: 'refresh_rejected',
    });
    expect(refreshes()).toHaveLength(before + 1);
    // Only one response deletes the cookie: the others may arrive after the next sign-in.
    const lines = answers.flatMap(({ headers }) => headers.getSetCookie());
    expect(
      lines.filter((line) => line.startsWith(`${withPort('authjs.session-token', app.origin)}=;`)),
    ).toHaveLength(1);
    const metrics = await metricsOf(app.origin);
    expect(metrics).toContain('sessions_ended_total{reason="refresh_rejected"} 1\n');
    expect(metrics).toContain('refreshes_total{result="rejected"} 1\n');

    // The session at Zitadel ends as well, so that Zitadel asks for a sign-in.
    app.sandbox.expire('sessions');
    const page = await browser.get('/profile?tab=1');
    expect(page.url.origin).toBe(new URL(app.sandbox.issuer).origin);
    browser.forget(/./);
    expect((await browser.get('/auth/session')).text).toBe('null');
  });

  it('a user with a session at Zitadel is signed in again without a prompt and returns to the same page, once', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    app.sandbox.expire('refresh_tokens');
    const page = await browser.get('/profile?tab=1');
    expect(page.status).toBe(200);
    const path = page.path.map(({ pathname }) => pathname);
    expect([path[1], ...path.slice(-2)]).toEqual(['/oauth/v2/authorize', '/auth/callback', '/profile']);
    expect(page.path[1]?.searchParams.get('login_hint')).toBe('alice@acme.example');
    expect(page.url.search).toBe('?tab=1');

    const headers = { ...navigation, cookie };
    const again = await supertest(app.origin).get('/profile').set(headers);
    expect(again.headers['location']).toBe('/auth/login?callbackUrl=%2Fprofile&reason=refresh_rejected');
    const login = await app.browser().get(again.headers['location'] ?? '');
    expect(login.document.querySelector('[role="status"]')?.text).toContain(
      'it was unused there for too long, or was ended',
    );
  });

  it('a browser with tokens that are due at once is not redirected in a loop', async () => {
    app.sandbox.setAccessTokenTtl(1);
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    moveTime(2_000);
    app.sandbox.expire('refresh_tokens');
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('after a token response was lost, the user is signed in again without a prompt', async () => {
    const browser = await signInDue();
    app.sandbox.drop(TOKEN, 1);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    await pause(RETRY_MS);
    const page = await browser.get('/profile');
    expect([page.status, page.url.pathname]).toEqual([200, '/profile']);
    expect(page.path.map(({ pathname }) => pathname)).toContain('/oauth/v2/authorize');
  });

  it.each([
    [
      'has signed out since',
      { cookie: 'logged-out=1' },
      '/auth/login?callbackUrl=%2Fprofile&reason=refresh_rejected',
    ],
    [
      'prefetches',
      { 'sec-purpose': 'prefetch' },
      '/auth/login?callbackUrl=%2Fprofile&reason=refresh_rejected',
    ],
    ['sends a form', {}, '/auth/login?reason=refresh_rejected'],
  ] as [string, Record<string, string>, string][])(
    'the login page is shown to a browser that %s',
    async (name, more, location) => {
      const browser = await signInDue();
      app.sandbox.expire('refresh_tokens');
      const cookie = [await browser.cookieHeader(), more['cookie']].filter(Boolean).join('; ');
      const agent = supertest(app.origin);
      const sent = name === 'sends a form' ? agent.post('/auth/userinfo') : agent.get('/profile');
      const answer = await sent.set({ ...navigation, ...more, cookie });
      expect(answer.headers['location']).toBe(location);
    },
  );

  it.each([400, 401, 403])('the session ends for the status %i', async (status) => {
    const browser = await signInDue();
    app.sandbox.fail(TOKEN, status);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });
});

describe('when Zitadel cannot refresh,', () => {
  it.each([500, 503, 429])(
    'the session stays and /auth/userinfo returns 503 with Retry-After for the status %i',
    async (status) => {
      const browser = await signInDue();
      app.sandbox.fail(TOKEN, status);
      expect((await browser.get('/profile')).url.pathname).toBe('/profile');
      const userinfo = await browser.get('/auth/userinfo');
      expect(userinfo.status).toBe(503);
      expect(userinfo.headers['retry-after']).toBeDefined();

      app.sandbox.fail(TOKEN, null);
      // The pause is measured with a clock that moveTime() does not change.
      await pause(2_100);
      expect((await browser.get('/auth/userinfo')).status).toBe(200);
    },
  );

  it('the log has two lines for twenty requests within ten seconds', async () => {
    const log: string[] = [];
    const own = await startApp({ log, sandbox: { accessTokenTtlSeconds: 60 } });
    try {
      const [browser, other] = [own.browser(), own.browser()];
      for (const each of [browser, other])
        expect((await signIn(each, 'alice@acme.example')).url.pathname).toBe('/profile');
      own.sandbox.fail(TOKEN, 503);
      moveTime(70_000);
      log.length = 0;
      for (let count = 0; count < 20; count++) expect((await browser.get('/auth/userinfo')).status).toBe(503);
      const said = log.filter((line) => !line.startsWith('debug')).map((line) => line.split('\n', 1)[0]);
      // A machine that takes longer than 10 s sums up.
      const first = said.filter((line) => !line?.includes(' more in 10 s'));
      expect(first).toEqual(['error Could not refresh tokens', 'error Requests were answered 503']);
      expect((await other.get('/auth/userinfo')).status).toBe(503);
    } finally {
      await own.close();
    }
    expect(log.filter((line) => line.includes(' more until the shutdown')).sort()).toEqual([
      expect.stringMatching(/^warn Could not refresh tokens: \d+ more/),
      expect.stringMatching(/^warn Requests were answered 503: \d+ more/),
    ]);
  });

  it('five requests lead to one token request', async () => {
    const browser = await signInDue();
    app.sandbox.fail(TOKEN, 503);
    const before = refreshes().length;
    for (let view = 0; view < 5; view++) await browser.get('/profile');
    expect(refreshes()).toHaveLength(before + 1);
  });
});

describe('without a refresh token', () => {
  it('the session ends together with its access token', async () => {
    const alone = await startApp({
      sandbox: { web: { refreshTokenGrant: false }, accessTokenTtlSeconds: 60 },
    });
    try {
      const browser = alone.browser();
      await signIn(browser, 'alice@acme.example');
      moveTime(57_000);
      expect((await browser.get('/auth/userinfo')).status).toBe(200);
      moveTime(3_000);
      expect((await browser.get('/')).text).toContain('Log out');
      const page = await browser.get('/profile');
      expect(page.url.pathname).toBe('/auth/login');
      expect(page.url.searchParams.get('reason')).toBe('no_refresh');
    } finally {
      await alone.close();
    }
  });
});

describe('when Zitadel refuses the client at a refresh,', () => {
  const running: RunningApp[] = [];
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(running.splice(0).map((one) => one.close()));
  });

  type Client = Record<'grantTypes' | 'clientSecret' | 'active', unknown>;

  /** A session whose access token is due, after a change of the client at Zitadel. */
  async function signInAt(change: Partial<Client>, web: WebClientOptions = {}) {
    const log: string[] = [];
    const own = await startApp({ log, sandbox: { web, accessTokenTtlSeconds: 60 } });
    running.push(own);
    const browser = own.browser();
    await signIn(browser, 'alice@acme.example');
    const client = own.sandbox.clients.web as Partial<Client>;
    const before = { ...client };
    Object.assign(client, change);
    moveTime(54_000);
    return { own, browser, log, repair: () => Object.assign(client, before) };
  }
  const asked = ({ sandbox }: RunningApp) => sandbox.grants('refresh_token').length;
  const errors = (log: string[]) => log.filter((line) => line.startsWith('error'));

  it.each([
    [
      'has no refresh token grant',
      { grantTypes: ['authorization_code'] },
      'tick "Refresh Token"',
      'refresh_grant_off',
    ],
    ['has another secret', { clientSecret: 'another' }, 'ZITADEL_CLIENT_SECRET', 'client_refused'],
    ['is not active', { active: false }, 'check that it is active', 'client_refused'],
  ] as [string, Partial<Client>, string, string][])(
    'because it %s, the session goes on until its access token ends',
    async (_name, change, cure, reason) => {
      const { own, browser, log } = await signInAt(change, { authMethod: 'basic' });
      const other = own.browser();
      for (let view = 0; view < 3; view++) {
        expect((await browser.get('/profile')).url.pathname).toBe('/profile');
        expect((await browser.get('/auth/userinfo')).status).toBe(200);
      }
      expect(asked(own)).toBe(1);
      expect(errors(log)).toHaveLength(1);
      expect(errors(log)[0]).toContain(cure);
      const metrics = await metricsOf(own.origin);
      expect(metrics).toContain('refreshes_total{result="not_allowed"} 1\n');
      const ready = await fetch(`${own.origin}/health/ready`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ details: { zitadel: { status: 'misconfigured', reason } } });

      moveTime(5_500);
      const page = await browser.get('/profile');
      expect(page.url.searchParams.get('reason')).toBe('no_refresh');
      expect(textOf(page)).not.toContain('ended your session');
      expect((await other.get('/auth/session')).text).toBe('null');
    },
  );

  it('although Login V1 issued a refresh token, the session goes on', async () => {
    const { own, browser, log } = await signInAt({}, { loginVersion: 1, refreshTokenGrant: false });
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
    expect(asked(own)).toBe(1);
    expect(errors(log).join()).toContain('tick "Refresh Token"');
  });

  it('the same refresh token is used again after a minute', async () => {
    const { own, browser, repair } = await signInAt({ grantTypes: ['authorization_code'] });
    expect((await browser.get('/profile')).status).toBe(200);
    repair();
    expect((await browser.get('/profile')).status).toBe(200);
    expect(asked(own)).toBe(1);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_500);
    expect((await browser.get('/profile')).status).toBe(200);
    expect(asked(own)).toBe(2);
    moveTime(30_000);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
  });

  it('a session of another client ends with refresh_rejected', async () => {
    const { own, browser } = await signInAt({});
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const { clientId } = own.sandbox.clients.second;
    const other = await launch(
      { ...environment(own.origin, own.sandbox), ZITADEL_CLIENT_ID: clientId },
      port,
    );
    try {
      const cookie = await browser.cookieHeader();
      const answer = await fetch(`${origin}/profile`, { redirect: 'manual', headers: { cookie } });
      expect(await answer.json()).toMatchObject({ reason: 'refresh_rejected' });
    } finally {
      await other.close();
    }
  });
});
