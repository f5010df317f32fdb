import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser } from './support/browser.js';
import { moveTime } from './support/move-time.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { revocationsAt } from './support/revocations-at.js';
import { textOf } from './support/text-of.js';
import { until } from './support/until.js';

const ALICE = 'alice@acme.example';
const BOB = 'bob@acme.example';
const USERINFO = '/oidc/v1/userinfo';
const TOKEN = '/oauth/v2/token';
const MAX_AGE_MS = 300_000;

let app: RunningApp;
let log: string[];
beforeAll(async () => {
  log = [];
  app = await startApp({ log });
});
afterAll(() => app.close());
afterEach(() => {
  app.sandbox.delay(USERINFO, 0);
  app.sandbox.fail(USERINFO, null);
  app.sandbox.fail(TOKEN, null);
  app.sandbox.setAccessTokenTtl(43_200);
  app.sandbox.revokeRole(BOB, 'admin');
  app.sandbox.grantRole(ALICE, 'admin');
  log.length = 0;
});

const asked = (of = app) => of.sandbox.requests.filter(({ path }) => path === USERINFO).length;

async function signedIn(loginName: string, of = app): Promise<Browser> {
  const browser = of.browser();
  await signIn(browser, loginName);
  return browser;
}

/** A request with a fixed `Cookie` header, to be sent concurrently. */
const request = (cookie: string, path: string) =>
  fetch(app.origin + path, { redirect: 'manual', headers: { cookie } });

describe('the user in a session', () => {
  it('loses revoked roles and gains granted roles after SESSION_CLAIMS_MAX_AGE', async () => {
    const alice = await signedIn(ALICE);
    const bob = await signedIn(BOB);
    app.sandbox.revokeRole(ALICE, 'admin');
    app.sandbox.grantRole(BOB, 'admin');
    expect((await alice.get('/admin')).status).toBe(200);
    expect((await bob.get('/admin')).status).toBe(403);
    moveTime(MAX_AGE_MS);
    expect((await alice.get('/admin')).status).toBe(403);
    expect(textOf(await alice.get('/profile'))).not.toContain('admin');
    expect((await bob.get('/admin')).status).toBe(200);
  });

  it('is reloaded with one userinfo request and then kept in the session cookie', async () => {
    const browser = await signedIn(ALICE);
    moveTime(MAX_AGE_MS);
    const before = asked();
    for (let view = 0; view < 3; view++) expect((await browser.get('/profile')).status).toBe(200);
    expect(asked()).toBe(before + 1);
  });

  it('is reloaded with one userinfo request for fifty concurrent requests and for a later request with the old cookie', async () => {
    const browser = await signedIn(ALICE);
    const cookie = await browser.cookieHeader();
    app.sandbox.revokeRole(ALICE, 'admin');
    moveTime(MAX_AGE_MS);
    const before = asked();
    app.sandbox.delay(USERINFO, 200);
    const answers = await Promise.all(Array.from({ length: 50 }, () => request(cookie, '/admin')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    for (const answer of answers) expect(answer.headers.getSetCookie().join()).toContain('session-token');
    expect((await request(cookie, '/admin')).status).toBe(403);
    expect(asked()).toBe(before + 1);
  });

  it('is not reloaded on public pages, and delays a page by two seconds at most', async () => {
    const browser = await signedIn(ALICE);
    app.sandbox.revokeRole(ALICE, 'admin');
    moveTime(MAX_AGE_MS);
    app.sandbox.delay(USERINFO, 3_000);
    const before = asked();
    expect((await browser.get('/')).status).toBe(200);
    expect(asked()).toBe(before);
    // The old roles apply until the response has arrived.
    expect((await browser.get('/admin')).status).toBe(200);
    await pause(1_200);
    expect((await browser.get('/admin')).status).toBe(403);
    expect(asked()).toBe(before + 1);
  });

  it.each([500, 503, 429, 400])(
    'stays unchanged when userinfo returns %i, and is reloaded by a later request',
    async (status) => {
      const browser = await signedIn(ALICE);
      app.sandbox.revokeRole(ALICE, 'admin');
      moveTime(MAX_AGE_MS);
      app.sandbox.fail(USERINFO, status);
      for (let view = 0; view < 3; view++) expect((await browser.get('/admin')).status).toBe(200);
      expect(log.filter((line) => line.includes('Could not reload users from userinfo'))).toHaveLength(1);
      app.sandbox.fail(USERINFO, null);
      moveTime(10_000);
      expect((await browser.get('/admin')).status).toBe(403);
    },
  );

  it('is reloaded after a refresh, whatever its age', async () => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await signedIn(ALICE);
    app.sandbox.revokeRole(ALICE, 'admin');
    moveTime(55_000);
    const before = asked();
    expect((await browser.get('/admin')).status).toBe(403);
    expect((await browser.get('/profile')).status).toBe(200);
    expect(asked()).toBe(before + 1);
  });

  it('is updated by /auth/userinfo and by the live section of the profile page', async () => {
    const browser = await signedIn(ALICE);
    app.sandbox.revokeRole(ALICE, 'admin');
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
    expect((await browser.get('/admin')).status).toBe(403);
    app.sandbox.grantRole(ALICE, 'admin');
    const live = await browser.get('/profile/live');
    expect(live.document.querySelector('nav a[href="/admin"]')).not.toBeNull();
    expect((await browser.get('/admin')).status).toBe(200);
  });

  it('is not replaced by a late response with the old session cookie', async () => {
    const browser = await signedIn(ALICE);
    const cookie = await browser.cookieHeader();
    moveTime(MAX_AGE_MS);
    expect((await browser.get('/profile')).status).toBe(200);
    // A tenth of the idle time has passed as well: this response would slide the cookie with the old content.
    expect((await request(cookie, '/')).headers.getSetCookie().join()).not.toContain('session-token');
  });
});

describe('SESSION_CLAIMS_MAX_AGE=0', () => {
  it('limits the reload to one userinfo request after each refresh', async () => {
    const own = await startApp({ env: { SESSION_CLAIMS_MAX_AGE: '0', SESSION_DURATION: '86400' } });
    try {
      own.sandbox.setAccessTokenTtl(3_600);
      const browser = await signedIn(ALICE, own);
      own.sandbox.revokeRole(ALICE, 'admin');
      const before = asked(own);
      moveTime(3_000_000);
      expect((await browser.get('/admin')).status).toBe(200);
      expect(asked(own)).toBe(before);
      moveTime(600_000);
      for (let view = 0; view < 3; view++) expect((await browser.get('/admin')).status).toBe(403);
      expect(asked(own)).toBe(before + 1);
    } finally {
      await own.close();
    }
  });
});

describe('the page for a missing role', () => {
  const readAgain = 'form[action="/auth/userinfo"]';

  it('shows when the roles were read, and a form of it reloads them and returns to the page', async () => {
    const browser = await signedIn(BOB);
    const refused = await browser.get('/admin?tab=1');
    expect(refused.status).toBe(403);
    expect(textOf(refused)).toContain('Your roles were last read at Zitadel:');
    expect(textOf(refused)).toContain('after your next sign-in');
    const readAt = Date.parse(refused.document.querySelector('main time')?.getAttribute('datetime') ?? '');
    expect(Math.abs(Date.now() - readAt)).toBeLessThan(60_000);

    app.sandbox.grantRole(BOB, 'admin');
    moveTime(10_000);
    const page = await browser.submit(refused, readAgain);
    expect(page.url.pathname + page.url.search).toBe('/admin?tab=1');
    expect(page.status).toBe(200);
  });

  it('returns 403 with the new time when the role is still missing after the reload', async () => {
    const browser = await signedIn(BOB);
    const timeOn = ({ document }: { document: (typeof refused)['document'] }) =>
      Date.parse(document.querySelector('main time')?.getAttribute('datetime') ?? '');
    const refused = await browser.get('/admin');
    moveTime(10_000);
    const again = await browser.submit(refused, readAgain);
    expect(again.status).toBe(403);
    expect(timeOn(again) - timeOn(refused)).toBeGreaterThan(9_000);
  });

  it('needs the CSRF token for the reload and returns to no other origin', async () => {
    const browser = await signedIn(BOB);
    const fields = csrfFrom(await browser.get('/admin'));
    const elsewhere = await browser.post('/auth/userinfo', { ...fields, callbackUrl: '//evil.example/' });
    expect(elsewhere.status).toBe(303);
    expect(elsewhere.headers['location']).toBe('/profile');
    const before = asked();
    expect((await browser.post('/auth/userinfo', { callbackUrl: '/admin' })).status).toBe(403);
    expect(asked()).toBe(before);
  });
});

describe('a session that ended at Zitadel', () => {
  /** A new session whose access token is a minute old. */
  async function signedInFor(of = app) {
    const browser = await signedIn(BOB, of);
    moveTime(60_000);
    return browser;
  }
  const reasonAt = async (browser: Browser, path = '/profile') =>
    (await browser.get(path)).url.searchParams.get('reason');

  it.each([
    ['deactivated', () => app.sandbox.setUserActive(BOB, false), () => app.sandbox.setUserActive(BOB, true)],
    ['locked', () => app.sandbox.lockUser(BOB), () => app.sandbox.unlockUser(BOB)],
  ])('because the user was %s ends here within SESSION_CLAIMS_MAX_AGE', async (_name, end, undo) => {
    const browser = await signedInFor();
    end();
    moveTime(MAX_AGE_MS);
    // One refusal does not end the session: the old claims still apply.
    expect((await browser.get('/profile')).status).toBe(200);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    moveTime(2_000);
    expect(await reasonAt(browser)).toBe('revoked');
    undo();
    expect(JSON.parse((await browser.get('/auth/session')).text)).toBeNull();
  });

  it('is not refreshed', async () => {
    const browser = await signedInFor();
    app.sandbox.expire('access_tokens');
    const before = app.sandbox.grants('refresh_token').length;
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    expect((await browser.get('/profile')).status).toBe(200);
    moveTime(2_000);
    expect(await reasonAt(browser, '/auth/userinfo')).toBe('revoked');
    expect(app.sandbox.grants('refresh_token')).toHaveLength(before);
  });

  it('ends after two refusals of its access token that are two seconds apart, not before', async () => {
    const browser = await signedInFor();
    app.sandbox.refuseTokens(USERINFO, 1);
    const before = asked();
    const refusal = await browser.get('/auth/userinfo', { 'sec-fetch-mode': 'cors' });
    expect(refusal.status).toBe(503);
    expect(JSON.parse(refusal.text)).toMatchObject({ code: 'ZITADEL_ACCESS_TOKEN_REJECTED' });
    moveTime(1_900);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    expect(asked()).toBe(before + 1);
    moveTime(200);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
    // The next refusal counts as the first again.
    app.sandbox.refuseTokens(USERINFO, 1);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    expect((await browser.get('/profile')).status).toBe(200);
  });

  it('is not ended before its access token is twelve seconds old', async () => {
    const browser = await signedIn(BOB);
    app.sandbox.refuseTokens(USERINFO, 1);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    moveTime(9_000);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    moveTime(3_000);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
  });

  it('goes on when a refresh has replaced its access token: the new one is used for userinfo', async () => {
    app.sandbox.setAccessTokenTtl(600);
    const browser = await signedIn(BOB);
    const old = await browser.cookieHeader();
    moveTime(571_000);
    expect((await browser.get('/profile')).status).toBe(200);
    // The clock is set to before the old token was due, although it was refreshed.
    moveTime(-271_000);
    const before = app.sandbox.grants('refresh_token').length;
    const late = await request(old, '/auth/userinfo');
    expect(late.status).toBe(200);
    expect(late.headers.getSetCookie().join()).toContain('session-token');
    expect(app.sandbox.grants('refresh_token')).toHaveLength(before);
    moveTime(271_000);
  });

  it('has its refresh token revoked', async () => {
    const browser = await signedInFor();
    app.sandbox.expire('access_tokens');
    await browser.get('/auth/userinfo');
    moveTime(2_000);
    const { length } = revocationsAt(app.sandbox);
    expect(await reasonAt(browser, '/auth/userinfo')).toBe('revoked');
    await until(() => revocationsAt(app.sandbox).length > length);
  });
});
