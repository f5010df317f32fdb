import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import type { Mutation } from '../support/hostile/mutation.js';
import { people } from '../support/hostile/people.js';
import { moveTime } from '../support/move-time.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const TOKEN = '/oauth/v2/token';
const KEYS = '/oauth/v2/keys';
const USERINFO = '/oidc/v1/userinfo';

let app: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());
afterEach(() => app.provider.fault(TOKEN, null));

/** Signs in with an access token that is due by now. */
async function signInDue(refresh?: Mutation['refresh']): Promise<Browser> {
  const browser = app.browser();
  await app.signIn(browser, { tokenAnswer: { expires_in: 1 }, ...(refresh ? { refresh } : {}) });
  moveTime(1_050);
  return browser;
}

const program = { 'sec-fetch-mode': 'cors', accept: 'application/json' };

describe('a refresh whose ID token', () => {
  it('ended 55 seconds ago renews the session all the same, as clocks differ by up to a minute', async () => {
    const seconds = () => Math.floor(Date.now() / 1000);
    const browser = await signInDue({
      idToken: { claims: () => ({ exp: seconds() - 55, nbf: seconds() + 55 }) },
    });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    expect(app.provider.lastLogin.accessTokens).toHaveLength(2);
    expect(await app.session(browser)).not.toBeNull();
  });

  it.each([
    ['has another issuer', { claims: ({ iss }) => ({ iss: `${String(iss)}1` }) }],
    ['is about another user', { claims: { sub: people.mallory.sub } }],
    ['is for another client', { claims: { aud: 'another-client', azp: undefined } }],
    ['is for another client beside this one', { claims: { azp: 'another-client' } }],
    ['has the nonce of another sign-in', { claims: { nonce: 'another' } }],
  ] as [string, NonNullable<Mutation['idToken']>][])(
    '%s: the session ends, and nothing is done with the new tokens',
    async (_name, idToken) => {
      const browser = await signInDue({ idToken });
      const before = app.provider.requestsTo(USERINFO).length;
      const answer = await browser.get('/auth/userinfo', program);
      expect(answer.status).toBe(401);
      expect(app.provider.requestsTo(USERINFO)).toHaveLength(before);
      expect(await app.session(browser)).toBeNull();
      expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    },
  );

  it('has no nonce, as it may: the session goes on with it', async () => {
    const browser = await signInDue({ idToken: { claims: { nonce: undefined } } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    const page = await app.logOut(browser);
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[1]);
  });

  it.each([
    ['answers 404', { status: 404 }],
    ['answers HTML', { body: '<html>maintenance</html>', contentType: 'text/html' }],
    ['answers much too much', { megabytes: 2 }],
    ['answers 500', { status: 500 }],
  ])(
    'cannot be verified as the key endpoint %s: the session goes on with the first one',
    async (_name, fault) => {
      const browser = await signInDue();
      app.provider.keys.rotate();
      app.provider.fault(KEYS, fault);
      expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
      expect(app.provider.lastLogin.accessTokens).toHaveLength(2);
      expect(await app.session(browser)).not.toBeNull();
      const page = await app.logOut(browser);
      expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[0]);
      app.provider.fault(KEYS, null);
      // The keys are asked for again after two seconds.
      moveTime(2_100);
    },
  );

  it('is missing, which is allowed: the session goes on with the first one', async () => {
    const browser = await signInDue({ tokenAnswer: { id_token: undefined } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    const page = await app.logOut(browser);
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[0]);
  });
});

describe('a refresh whose answer', () => {
  it('has no new refresh token: the old one stays', async () => {
    const browser = await signInDue({ tokenAnswer: { refresh_token: undefined, expires_in: 1 } });
    await browser.get('/profile');
    moveTime(1_050);
    const before = app.provider.grants('refresh_token').length;
    await browser.get('/profile');
    const used = app.provider.grants('refresh_token').slice(before);
    expect(used.map(({ form }) => form['refresh_token'])).toEqual([app.provider.lastLogin.refreshTokens[0]]);
  });

  it('does not say how long the access token lives: it is used for a while', async () => {
    const browser = await signInDue({ tokenAnswer: { expires_in: undefined } });
    const before = app.provider.grants('refresh_token').length;
    for (let view = 0; view < 3; view++)
      expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    expect(app.provider.grants('refresh_token')).toHaveLength(before + 1);
  });

  it('is bEARER: accepted', async () => {
    const browser = await signInDue({ tokenAnswer: { token_type: 'bEARER' } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
  });

  it('is no bearer token: not used', async () => {
    const browser = await signInDue({ tokenAnswer: { token_type: 'mac' } });
    const before = app.provider.requestsTo(USERINFO).length;
    expect((await browser.get('/auth/userinfo', program)).status).toBeGreaterThanOrEqual(400);
    expect(app.provider.requestsTo(USERINFO)).toHaveLength(before);
  });
});

describe('a provider that', () => {
  it('forgot the refresh token: the session ends, and the login page says why', async () => {
    const browser = await signInDue();
    app.provider.forgetRefreshTokens();
    const page = await browser.get('/profile?tab=1');
    expect(page.url.pathname).toBe('/auth/login');
    expect(page.url.searchParams.get('callbackUrl')).toBe('/profile?tab=1');
    expect(page.document.querySelector('[role="status"]')?.text).toContain('signed out');
    expect(await app.session(browser)).toBeNull();
  });

  it('forgot the refresh token: every copy of the cookie is dead, on public pages, too', async () => {
    const browser = await signInDue();
    const cookie = await browser.jar.getCookieString(app.origin);
    const get = (path: string) => fetch(app.origin + path, { redirect: 'manual', headers: { cookie } });
    expect(await (await get('/auth/session')).json()).not.toBeNull();
    app.provider.forgetRefreshTokens();
    expect((await get('/auth/userinfo')).status).toBe(401);
    expect(await (await get('/auth/session')).json()).toBeNull();
    expect(await (await get('/')).text()).not.toContain('Log out');
    expect((await get('/profile')).status).toBe(401);
  });

  it.each([
    ['answers 500', { status: 500 }],
    ['answers 429', { status: 429 }],
    ['hangs up', { hangUp: true }],
    ['sleeps', { delayMs: 30_000 }],
  ])('%s: the session stays, and what needs a token is 503', async (_name, fault) => {
    const browser = await signInDue();
    app.provider.fault(TOKEN, fault);
    const answer = await browser.get('/auth/userinfo', program);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(await app.session(browser)).not.toBeNull();
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
  });

  it('is slow and strict gets one request from fifty', async () => {
    const browser = await signInDue();
    const cookie = await browser.jar.getCookieString(app.origin);
    const before = app.provider.grants('refresh_token').length;
    app.provider.fault(TOKEN, { delayMs: 300 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${app.origin}/auth/userinfo`, { headers: { cookie } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(app.provider.grants('refresh_token')).toHaveLength(before + 1);
  });
});
