import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { program, type Browser } from '../support/browser.js';
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

describe('a refresh whose ID token', () => {
  it('expired 55 seconds ago succeeds (clock tolerance is one minute)', async () => {
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
    '%s ends the session and does not use the new tokens',
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

  it('has no nonce succeeds, and the ID token is used at sign-out', async () => {
    const browser = await signInDue({ idToken: { claims: { nonce: undefined } } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    const page = await app.logOut(browser);
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[1]);
  });

  it.each([
    ['returns 404', { status: 404 }],
    ['returns HTML', { body: '<html>maintenance</html>', contentType: 'text/html' }],
    ['returns 2 MB', { megabytes: 2 }],
    ['returns 500', { status: 500 }],
  ])(
    'cannot be verified because the key endpoint %s succeeds and keeps the first ID token',
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
      // The keys are requested again after two seconds.
      moveTime(2_100);
    },
  );

  it('is missing succeeds and keeps the first ID token', async () => {
    const browser = await signInDue({ tokenAnswer: { id_token: undefined } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    const page = await app.logOut(browser);
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[0]);
  });
});

describe('a refresh whose response', () => {
  it('has no new refresh token keeps the old one', async () => {
    const browser = await signInDue({ tokenAnswer: { refresh_token: undefined, expires_in: 1 } });
    await browser.get('/profile');
    moveTime(1_050);
    const before = app.provider.grants('refresh_token').length;
    await browser.get('/profile');
    const used = app.provider.grants('refresh_token').slice(before);
    expect(used.map(({ form }) => form['refresh_token'])).toEqual([app.provider.lastLogin.refreshTokens[0]]);
  });

  it('has no expires_in gives an access token that is used for several requests', async () => {
    const browser = await signInDue({ tokenAnswer: { expires_in: undefined } });
    const before = app.provider.grants('refresh_token').length;
    for (let view = 0; view < 3; view++)
      expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    expect(app.provider.grants('refresh_token')).toHaveLength(before + 1);
  });

  it('has the token_type bEARER succeeds', async () => {
    const browser = await signInDue({ tokenAnswer: { token_type: 'bEARER' } });
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
  });

  it('has another token_type than bearer fails, and its access token is not used', async () => {
    const browser = await signInDue({ tokenAnswer: { token_type: 'mac' } });
    const before = app.provider.requestsTo(USERINFO).length;
    expect((await browser.get('/auth/userinfo', program)).status).toBeGreaterThanOrEqual(400);
    expect(app.provider.requestsTo(USERINFO)).toHaveLength(before);
  });
});

describe('a refresh at a provider that', () => {
  it('rejects the refresh token ends the session, and the login page shows the reason', async () => {
    const browser = await signInDue();
    app.provider.forgetRefreshTokens();
    const page = await browser.get('/profile?tab=1');
    expect(page.url.pathname).toBe('/auth/login');
    expect(page.url.searchParams.get('callbackUrl')).toBe('/profile?tab=1');
    expect(page.document.querySelector('[role="status"]')?.text).toContain('signed out');
    expect(await app.session(browser)).toBeNull();
  });

  it('rejects the refresh token ends the session for every copy of the cookie, also on public pages', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    const get = (path: string) => fetch(app.origin + path, { redirect: 'manual', headers: { cookie } });
    expect(await (await get('/auth/session')).json()).not.toBeNull();
    app.provider.forgetRefreshTokens();
    expect((await get('/auth/userinfo')).status).toBe(401);
    expect(await (await get('/auth/session')).json()).toBeNull();
    expect(await (await get('/')).text()).not.toContain('Log out');
    expect((await get('/profile')).status).toBe(401);
  });

  it.each([
    ['returns 500', { status: 500 }],
    ['returns 429', { status: 429 }],
    ['closes the connection', { hangUp: true }],
    ['does not respond', { delayMs: 30_000 }],
  ])('%s keeps the session, and /auth/userinfo returns 503 with Retry-After', async (_name, fault) => {
    const browser = await signInDue();
    app.provider.fault(TOKEN, fault);
    const answer = await browser.get('/auth/userinfo', program);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(await app.session(browser)).not.toBeNull();
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
  });

  it('responds late is sent once for fifty concurrent requests', async () => {
    const browser = await signInDue();
    const cookie = await browser.cookieHeader();
    const before = app.provider.grants('refresh_token').length;
    app.provider.fault(TOKEN, { delayMs: 300 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${app.origin}/auth/userinfo`, { headers: { cookie } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(app.provider.grants('refresh_token')).toHaveLength(before + 1);
  });
});
