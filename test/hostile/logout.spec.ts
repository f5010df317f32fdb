import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom } from '../support/browser.js';
import type { Login } from '../support/hostile/login.js';
import { moveTime } from '../support/move-time.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { textOf } from '../support/text-of.js';

const END_SESSION = '/oidc/v1/end_session';
const REVOKE = '/oauth/v2/revoke';

let app: HostileApp;
/** its metadata have neither end_session_endpoint nor revocation_endpoint */
let poor: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
  poor = await startHostileApp({
    provider: { metadata: () => ({ end_session_endpoint: undefined, revocation_endpoint: undefined }) },
  });
});
afterAll(() => Promise.all([app.close(), poor.close()]));
afterEach(() => app.provider.fault(REVOKE, null));

/** The revocations of the tokens of this login alone: that of an earlier test may arrive late. */
const revokedOf = ({ accessTokens, refreshTokens, idTokens }: Login) =>
  app.provider
    .revokedTokens()
    .filter((token) => [...accessTokens, ...refreshTokens, ...idTokens].includes(String(token)));

/** The status of a request with a copy of the cookies. */
async function statusWith(cookie: string, path = '/profile') {
  const response = await fetch(app.origin + path, {
    redirect: 'manual',
    headers: { cookie, accept: 'application/json' },
  });
  return response.status;
}

describe('after a sign-out, the session here', () => {
  it('has ended before the browser reaches the provider', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const copied = await browser.cookieHeader();
    expect(await statusWith(copied)).toBe(200);
    const endSession = await browser.stopAt(END_SESSION, () => app.logOut(browser));
    expect(endSession.origin).toBe(app.provider.issuer);
    expect(app.provider.requestsTo(END_SESSION)).toEqual([]);
    expect(await statusWith(copied)).toBe(401);
    expect(await app.session(browser)).toBeNull();
  });

  it('has ended for every copy of the cookie on every page', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const copied = await browser.cookieHeader();
    await app.logOut(browser);
    for (const path of ['/profile', '/admin', '/auth/userinfo'])
      expect(await statusWith(copied, path)).toBe(401);
    const session = await fetch(`${app.origin}/auth/session`, { headers: { cookie: copied } });
    expect(await session.json()).toBeNull();
  });

  it('has ended for a copied cookie posted to /auth/session with another CSRF token', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const copied = await browser.sessionCookie();
    await app.logOut(browser);
    const thief = app.browser();
    const { csrfToken } = csrfFrom(await thief.get('/auth/login'));
    const cookie = `${await thief.cookieHeader()}; ${copied?.key}=${copied?.value}`;
    for (const body of [{ csrfToken }, { csrfToken, data: { user: { roles: ['admin'] } } }]) {
      const response = await fetch(`${app.origin}/auth/session`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(await response.text()).not.toMatch(/Alice|alice/);
      expect(response.headers.getSetCookie().filter((line) => /session-token[^=]*=[^;]/.test(line))).toEqual(
        [],
      );
    }
  });

  it('has ended for an older cookie of the same session', async () => {
    const browser = app.browser();
    await app.signIn(browser, { tokenAnswer: { expires_in: 1 } });
    const first = await browser.cookieHeader();
    moveTime(1_100);
    await browser.get('/profile');
    const second = await browser.cookieHeader();
    expect(second).not.toBe(first);
    await app.logOut(browser);
    expect(await statusWith(second)).toBe(401);
    expect(await statusWith(first)).toBe(401);
  });

  it('has ended alone: another browser of the same user stays signed in', async () => {
    const [one, other] = [app.browser(), app.browser()];
    await app.signIn(one);
    await app.signIn(other);
    await app.logOut(one);
    expect(await app.session(one)).toBeNull();
    expect(await app.session(other)).not.toBeNull();
  });

  it('can be replaced by a new sign-in at once', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    await app.logOut(browser);
    expect((await app.signIn(browser)).url.pathname).toBe('/profile');
    expect(await app.session(browser)).not.toBeNull();
  });
});

describe('the session at the provider', () => {
  it('is ended with id_token_hint, client_id, post_logout_redirect_uri and state', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const page = await app.logOut(browser);
    const endSession = page.path.find(({ pathname }) => pathname === END_SESSION);
    expect(Object.fromEntries(endSession?.searchParams ?? [])).toEqual({
      id_token_hint: app.provider.lastLogin.idTokens[0],
      client_id: app.provider.lastLogin.clientId,
      post_logout_redirect_uri: `${app.origin}/auth/logout/callback`,
      state: expect.stringMatching(/^[\w-]{22,}$/),
    });
    expect(page.url.pathname).toBe('/auth/logout/success');
    expect(page.status).toBe(200);
  });

  it('is ended with a new state each time', async () => {
    const states = new Set<string | null>();
    for (let time = 0; time < 3; time++) {
      const browser = app.browser();
      await app.signIn(browser);
      states.add((await browser.stopAt(END_SESSION, () => app.logOut(browser))).searchParams.get('state'));
    }
    expect(states.size).toBe(3);
  });

  it('is ended after the refresh token was revoked', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const login = app.provider.lastLogin;
    const [refreshToken] = login.refreshTokens;
    await app.logOut(browser);
    expect(revokedOf(login)).toEqual([refreshToken]);
    const { requests } = app.provider;
    const ended = requests.findIndex(({ query }) => query['id_token_hint'] === login.idTokens[0]);
    expect(requests[ended]?.path).toBe(END_SESSION);
    expect(requests.findIndex(({ form }) => form['token'] === refreshToken)).toBeLessThan(ended);
  });

  it.each([{ status: 500 }, { hangUp: true }, { status: 400 }])(
    'is ended even if the revocation fails: %j',
    async (fault) => {
      app.provider.fault(REVOKE, fault);
      const browser = app.browser();
      await app.signIn(browser);
      const copied = await browser.cookieHeader();
      const page = await app.logOut(browser);
      expect(page.url.pathname).toBe('/auth/logout/success');
      expect(await statusWith(copied)).toBe(401);
    },
  );
});

describe('a provider that does not respond', () => {
  const HEALTH = '/debug/healthz';
  const REVOKE = '/oauth/v2/revoke';
  afterEach(() => {
    app.provider.fault(HEALTH, null);
    app.provider.fault(REVOKE, null);
    moveTime(2_100);
  });

  it.each([{ status: 503 }, { hangUp: true }, { delayMs: 30_000 }])(
    'gets no browser redirected to it, and one health check for five sign-ins: %j',
    async (fault) => {
      const browser = app.browser();
      await app.signIn(browser);
      const profile = await browser.get('/profile');
      app.provider.fault(HEALTH, fault);
      app.provider.fault(REVOKE, fault);
      const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
      expect([page.url.pathname, page.url.search, page.status]).toEqual([
        '/auth/logout/error',
        '?reason=provider_unavailable',
        400,
      ]);
      expect(await app.session(browser)).toBeNull();
      // The failed health check counts for the following sign-ins, too.
      const before = app.provider.requestsTo(HEALTH).length;
      for (let count = 0; count < 5; count++)
        expect(refusalOf(await app.signIn(browser))).toEqual(refused('provider_unavailable'));
      expect(app.provider.requestsTo(HEALTH)).toHaveLength(before);
    },
  );
});

describe('the post-logout callback', () => {
  it.each([
    ['another state', { state: 'another' }, 'state_mismatch'],
    ['an empty state', { state: '' }, 'state_m'],
    ['two states', { state: ['one', 'two'] }, 'state_m'],
    ['no state', { state: undefined }, 'state_missing'],
  ])('with %s shows an error page, and the session has ended', async (_name, logoutReturn, reason) => {
    const browser = app.browser();
    await app.signIn(browser, { logoutReturn });
    const copied = await browser.cookieHeader();
    const page = await app.logOut(browser);
    expect(page.url.pathname).toBe('/auth/logout/error');
    expect(page.url.searchParams.get('reason')).toContain(reason);
    expect(page.status).toBe(400);
    expect(textOf(page)).toContain('You are signed out here');
    expect(await app.session(browser)).toBeNull();
    expect(await statusWith(copied)).toBe(401);
  });

  it('with an unknown state ends no session', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const page = await browser.get('/auth/logout/callback?state=invented');
    expect(page.status).toBeLessThan(500);
    expect(await app.session(browser)).not.toBeNull();
  });

  it.each([
    ['HEAD', {}],
    ['GET', { 'sec-purpose': 'prefetch' }],
  ])('is not consumed by %s %j, which gets 204', async (method, headers) => {
    const browser = app.browser();
    await app.signIn(browser);
    const back = await browser.stopAt('/auth/logout/callback', () => app.logOut(browser));
    const response = await browser.request(method, back, undefined, headers);
    expect([response.status, response.headers['set-cookie']]).toEqual([204, undefined]);
    expect((await browser.get(back)).url.pathname).toBe('/auth/logout/success');
  });

  it('may be opened twice', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const page = await app.logOut(browser);
    const back = page.path.find(({ pathname }) => pathname === '/auth/logout/callback');
    expect((await browser.get(back ?? '')).status).toBeLessThan(500);
  });
});

describe('a sign-out', () => {
  it('ends on the success page when the provider has no end_session_endpoint', async () => {
    const browser = poor.browser();
    await poor.signIn(browser);
    const page = await poor.logOut(browser);
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/success']);
    expect(page.status).toBe(200);
    expect(await poor.session(browser)).toBeNull();
  });

  it('sends an expired ID token as id_token_hint', async () => {
    const browser = app.browser();
    await app.signIn(browser, { idToken: { claims: { exp: Math.floor(Date.now() / 1000) + 1 } } });
    moveTime(1_500);
    const page = await app.logOut(browser);
    expect(page.url.pathname).toBe('/auth/logout/success');
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(app.provider.lastLogin.idTokens[0]);
  });

  const LONG = { idToken: { claims: { padding: 'x'.repeat(1_500) } } };

  it('sends an ID token of more than 2,048 characters by a POST from the server', async () => {
    const browser = app.browser();
    await app.signIn(browser, LONG);
    const [idToken = ''] = app.provider.lastLogin.idTokens;
    expect(idToken.length).toBeGreaterThan(2_048);
    const page = await app.logOut(browser);
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/success']);
    expect(textOf(page)).toContain('has the session at Zitadel that it came from');
    expect(app.provider.requestsTo(END_SESSION).at(-1)).toMatchObject({
      method: 'POST',
      form: { id_token_hint: idToken, client_id: app.provider.lastLogin.clientId },
    });
  });

  it.each([{ status: 400 }, { status: 503 }, { hangUp: true }])(
    'shows provider_unavailable when the POST from the server fails: %j',
    async (fault) => {
      const browser = app.browser();
      await app.signIn(browser, LONG);
      const copied = await browser.cookieHeader();
      app.provider.fault(END_SESSION, fault);
      const page = await app.logOut(browser).finally(() => app.provider.fault(END_SESSION, null));
      expect([page.url.pathname, page.url.search, page.status]).toEqual([
        '/auth/logout/error',
        '?reason=provider_unavailable',
        400,
      ]);
      expect(await statusWith(copied)).toBe(401);
      expect(app.log.join('\n')).not.toContain(app.provider.lastLogin.idTokens[0]);
    },
  );

  it('without a session cookie does not redirect to the provider but has a link to it', async () => {
    const browser = app.browser();
    const profile = await app.signIn(browser);
    browser.forget(/session-token/);
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/success']);
    expect(page.status).toBe(200);
    expect(textOf(page)).toContain('already logged out here');
    const link = page.document.querySelector(`main a[href*="${END_SESSION}"]`)?.getAttribute('href') ?? '';
    const { origin, searchParams } = new URL(link.replaceAll('&amp;', '&'));
    expect(origin).toBe(app.provider.issuer);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: app.provider.lastLogin.clientId,
      post_logout_redirect_uri: `${app.origin}/auth/logout/callback`,
      state: expect.stringMatching(/^[\w-]{22,}$/),
    });
    expect((await browser.get(link)).url.href).toBe(`${app.origin}/auth/logout/success`);
  });

  it('without a session cookie has no link to a provider without end_session_endpoint', async () => {
    const browser = poor.browser();
    const profile = await poor.signIn(browser);
    browser.forget(/session-token/);
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(textOf(page)).toContain('already logged out here');
    expect(page.document.querySelector('main a[href^="http"]')).toBeNull();
  });

  it('with the cookie of an ended session sends its ID token as id_token_hint', async () => {
    const browser = app.browser();
    const tab = await app.signIn(browser);
    const [idToken] = app.provider.lastLogin.idTokens;
    const body = new URLSearchParams({ logout_token: await app.provider.logoutToken() });
    await fetch(`${app.origin}/auth/backchannel-logout`, { method: 'POST', body });
    expect(await statusWith(await browser.cookieHeader())).toBe(401);
    const page = await browser.submit(tab, 'main form[action="/auth/logout"]');
    expect(page.path[1]?.searchParams.get('id_token_hint')).toBe(idToken);
    expect(page.url.pathname).toBe('/auth/logout/success');
    expect((await browser.cookies()).some(({ key }) => key.includes('session-token'))).toBe(false);
  });

  it('is the only use of the cookie of an ended session', async () => {
    const browser = app.browser();
    const fields = csrfFrom(await app.signIn(browser));
    const copied = await browser.cookieHeader();
    await app.logOut(browser);
    const login = app.provider.lastLogin;
    const [refreshToken] = login.refreshTokens;
    const posted = async (path: string) => {
      const body = new URLSearchParams(fields);
      const headers = { cookie: copied, accept: 'application/json' };
      return fetch(app.origin + path, { method: 'POST', redirect: 'manual', headers, body });
    };
    expect((await posted('/auth/logout')).headers.get('location')).toContain('id_token_hint=');
    expect((await posted('/auth/logout/everywhere')).status).toBe(401);
    expect((await posted('/auth/session')).headers.get('location') ?? '').not.toContain('id_token_hint');
    expect(revokedOf(login)).toEqual([refreshToken]);
  });

  it('may be sent twice, by a second click or in a second tab', async () => {
    const browser = app.browser();
    const tab = await app.signIn(browser);
    const fields = csrfFrom(tab);
    const [first, second] = await Promise.all([
      browser.post('/auth/logout', fields),
      browser.post('/auth/logout', fields),
    ]);
    expect([first?.status, second?.status]).toEqual([303, 303]);
    const page = await browser.submit(tab, 'main form[action="/auth/logout"]');
    expect(page.status).toBe(200);
    expect(page.url.pathname).toBe('/auth/logout/success');
  });

  it('does not delete cookies of other applications on the host', async () => {
    const browser = app.browser();
    await browser.jar.setCookie('other-app=kept; Path=/', app.origin);
    await app.signIn(browser);
    const response = await browser.post('/auth/logout', csrfFrom(await browser.get('/profile')));
    expect(response.headers['clear-site-data'] ?? '').not.toMatch(/cookies|\*/);
    expect(String(response.headers['set-cookie'])).not.toContain('other-app');
    expect((await browser.cookies()).find(({ key }) => key === 'other-app')?.value).toBe('kept');
  });

  it.each(['/profile', '/admin', '/'])('is offered on %s', async (path) => {
    const browser = app.browser();
    await app.signIn(browser);
    const page = await browser.get(path);
    expect(page.status).toBe(200);
    expect(page.document.querySelector('form[action="/auth/logout"][method="post"] button')?.text).toBe(
      'Log out',
    );
  });
});
