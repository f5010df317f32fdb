import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser } from './support/browser.js';
import { moveTime } from './support/move-time.js';
import { revocationsAt } from './support/revocations-at.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { until } from './support/until.js';
import { countOf } from './support/metrics.js';

const ALICE = 'alice@acme.example';
const BOB = 'bob@acme.example';
const REVOKE = '/oauth/v2/revoke';
const TOKEN = '/oauth/v2/token';

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());
afterEach(() => {
  app.sandbox.delay(REVOKE, 0);
  app.sandbox.fail(REVOKE, null);
  app.sandbox.fail(TOKEN, null);
  app.sandbox.setAccessTokenTtl(43_200);
});

const again = '/auth/login?prompt=login';

async function signedIn(loginName = ALICE): Promise<Browser> {
  const browser = app.browser();
  await signIn(browser, loginName);
  return browser;
}

/** The tokens that `act` revokes, once there are `count`. */
async function revokedBy(act: () => Promise<unknown>, count: number) {
  const { length } = revocationsAt(app.sandbox);
  await act();
  await until(() => revocationsAt(app.sandbox).length >= length + count);
  return revocationsAt(app.sandbox).slice(length);
}

const counted = (result: 'done' | 'failed') => countOf(app.origin, `revocations_total{result="${result}"}`);

const asked = () => app.sandbox.requests.filter(({ path }) => path === REVOKE).length;

describe('the refresh token of a session', () => {
  it('is revoked when the same user signs in again', async () => {
    const browser = await signedIn();
    expect(await revokedBy(() => signIn(browser, ALICE, again), 1)).toHaveLength(1);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
  });

  it('is revoked when another user signs in', async () => {
    const browser = await signedIn();
    await revokedBy(() => signIn(browser, BOB, again), 1);
    expect((await browser.get('/profile')).text).toContain(BOB);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
  });

  it('is revoked when a third-party initiated login replaces the session', async () => {
    const browser = await signedIn();
    const iss = encodeURIComponent(app.sandbox.issuer);
    await revokedBy(() => browser.get(`/auth/initiate?iss=${iss}`), 1);
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
  });

  it('is revoked once for each of three further sign-ins and a sign-out, and each is counted', async () => {
    const before = await counted('done');
    const browser = await signedIn();
    const tokens = await revokedBy(async () => {
      for (let time = 0; time < 3; time++) await signIn(browser, ALICE, again);
      await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    }, 4);
    expect(new Set(tokens).size).toBe(4);
    await until(async () => (await counted('done')) >= before + 4);
    expect(asked()).toBe(revocationsAt(app.sandbox).length);
  });

  it('is revoked when Zitadel refuses a refresh for whatever reason', async () => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await signedIn(BOB);
    moveTime(55_000);
    app.sandbox.setUserActive(BOB, false);
    await revokedBy(() => browser.get('/profile'), 1);
    app.sandbox.setUserActive(BOB, true);
  });

  it('is revoked in each browser after a sign-out everywhere', async () => {
    const [laptop, phone] = [await signedIn(), await signedIn()];
    const revoked = await revokedBy(async () => {
      await laptop.post('/auth/logout/everywhere', csrfFrom(await laptop.get('/profile')));
      await phone.get('/profile');
    }, 2);
    expect(new Set(revoked).size).toBe(2);
  });
});

describe('a revocation', () => {
  it('does not delay the next sign-in', async () => {
    const browser = await signedIn();
    app.sandbox.delay(REVOKE, 3_000);
    const done = await counted('done');
    expect((await signIn(browser, ALICE, again)).url.pathname).toBe('/profile');
    expect(await counted('done')).toBe(done);
    await until(async () => (await counted('done')) === done + 1);
  });

  it('is sent again after a failure', async () => {
    const browser = await signedIn();
    const [done, failed] = [await counted('done'), await counted('failed')];
    app.sandbox.fail(REVOKE, 400, 1);
    expect(await revokedBy(() => signIn(browser, ALICE, again), 1)).toHaveLength(1);
    await until(async () => (await counted('done')) === done + 1);
    expect(await counted('failed')).toBe(failed);
  });

  it('is given up after a second failure and counted as failed', async () => {
    const browser = await signedIn();
    const failed = await counted('failed');
    const before = asked();
    app.sandbox.fail(REVOKE, 400);
    await signIn(browser, ALICE, again);
    await until(async () => (await counted('failed')) === failed + 1);
    expect(asked()).toBe(before + 2);
  });
});
