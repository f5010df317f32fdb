import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import { people } from '../support/hostile/people.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { textOf } from '../support/text-of.js';
import { withPort } from '../support/with-port.js';
import { until } from '../support/until.js';

const TOKEN = '/oauth/v2/token';

let app: HostileApp;
let advertising: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
  advertising = await startHostileApp({
    provider: { metadata: () => ({ authorization_response_iss_parameter_supported: true }) },
  });
});
afterAll(() => Promise.all([app.close(), advertising.close()]));

const tokenCalls = () => app.provider.requestsTo(TOKEN).length;
const loginCookies = async (browser: Browser) =>
  (await browser.cookies()).filter(({ key }) => key.includes('authjs.login-'));

/** The same address with changes to its query; `undefined` removes a parameter. */
function withQuery(url: URL, changes: Record<string, string | undefined>) {
  const other = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) other.searchParams.delete(name);
    else other.searchParams.set(name, value);
  }
  return other;
}

/** The neighbor of a base64url character: the last character of 128 bits has four unused bits. */
const neighbourOf = (character: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[(alphabet.indexOf(character) ^ 1) % 64] ?? 'A';
};

describe('a callback with a state', () => {
  it.each([
    ['unknown', () => 'x'.repeat(43)],
    ['missing', () => undefined],
    ['empty', () => ''],
    ['altered at its end', (state: string) => state.slice(0, -1) + (/[A-P]$/.test(state) ? 'w' : 'A')],
    [
      'altered in unused bits of base64url',
      (state: string) => state.slice(0, -1) + neighbourOf(state.at(-1) ?? ''),
    ],
    ['altered at its start', (state: string) => (state.startsWith('A') ? 'B' : 'A') + state.slice(1)],
    ['truncated', (state: string) => state.slice(0, -4)],
    ['extended by a character', (state: string) => `${state}A`],
    ['very long', () => 'A'.repeat(4_000)],
    ['__proto__', () => '__proto__'],
  ])('that is %s gets state_invalid, and the code is not redeemed', async (_name, change) => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    const before = tokenCalls();
    const page = await browser.get(
      withQuery(callback, { state: change(callback.searchParams.get('state') ?? '') }),
    );
    expect(refusalOf(page)).toEqual(refused('state_invalid'));
    expect(tokenCalls()).toBe(before);
    expect(await app.session(browser)).toBeNull();
  });

  it('of another browser gets other_browser, and the code is not redeemed', async () => {
    const callback = await app.callbackOf(app.browser());
    const stranger = app.browser();
    await stranger.get('/auth/login');
    const before = tokenCalls();
    const page = await stranger.get(callback);
    expect(refusalOf(page)).toEqual(refused('other_browser'));
    expect(tokenCalls()).toBe(before);
    expect(await app.session(stranger)).toBeNull();
  });

  it('of another browser gets other_browser even while this browser is signing in', async () => {
    const callback = await app.callbackOf(app.browser());
    const stranger = app.browser();
    await app.callbackOf(stranger);
    const before = tokenCalls();
    expect(refusalOf(await stranger.get(callback))).toEqual(refused('other_browser'));
    expect(tokenCalls()).toBe(before);
  });

  it('in a browser without cookies gets cookie_missing, and the page says that cookies are needed', async () => {
    const callback = await app.callbackOf(app.browser());
    const page = await app.browser().get(callback);
    expect(refusalOf(page)).toEqual(refused('cookie_missing'));
    expect(textOf(page)).toMatch(/cookie/i);
  });
});

describe('the authorization code', () => {
  it('is redeemed once when the same callback is opened four times', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    await browser.get(callback);
    const before = { calls: tokenCalls(), session: await app.session(browser) };
    for (let again = 0; again < 3; again++) {
      const page = await browser.get(callback);
      expect(page.status).toBe(200);
      expect(page.url.pathname).toBe('/profile');
    }
    expect(tokenCalls()).toBe(before.calls);
    expect((await app.session(browser))?.user).toEqual(before.session?.user);
  });

  it('is redeemed once when the same callback is opened twice at the same time', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    const cookie = await browser.cookieHeader();
    const answers = await Promise.all(
      [1, 2].map(() =>
        fetch(callback, { redirect: 'manual', headers: { cookie, 'sec-fetch-mode': 'navigate' } }),
      ),
    );
    for (const { status } of answers) expect(status).toBeLessThan(500);
    expect(
      answers.filter(({ headers }) => /session-token[^=]*=[^;]/.test(String(headers.getSetCookie()))),
    ).toHaveLength(1);
  });

  it.each(['HEAD', 'GET with Sec-Purpose', 'GET with Purpose'])(
    'is not redeemed by %s, which gets 204',
    async (kind) => {
      const browser = app.browser();
      const callback = await app.callbackOf(browser);
      const before = tokenCalls();
      const header: Record<string, string> =
        kind === 'HEAD'
          ? {}
          : kind.endsWith('Sec-Purpose')
            ? { 'sec-purpose': 'prefetch;prerender' }
            : { purpose: 'prefetch' };
      const response = await browser.request(kind.split(' ')[0] ?? '', callback, undefined, header);
      expect(response.status).toBe(204);
      expect(tokenCalls()).toBe(before);
      expect((await browser.get(callback)).url.pathname).toBe('/profile');
      expect(await app.session(browser)).not.toBeNull();
    },
  );

  it('is neither in the address nor in the Referer after the callback', async () => {
    const browser = app.browser();
    const page = await app.signIn(browser);
    expect(page.url.href).toBe(`${app.origin}/profile`);
    expect(page.headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);

    const callback = await app.callbackOf(app.browser());
    const response = await browser.request('GET', callback);
    expect(response.headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
    expect(response.headers['location']).not.toContain(callback.searchParams.get('code'));
    expect(response.headers['cache-control']).toContain('no-store');
  });

  it.each(['code', 'state', 'iss', 'error'])(
    'is not redeemed when the callback has two values for %s',
    async (name) => {
      const browser = app.browser();
      const callback = await app.callbackOf(browser);
      const before = tokenCalls();
      const value = callback.searchParams.get(name) ?? app.provider.issuer;
      for (let count = callback.searchParams.getAll(name).length; count < 2; count++)
        callback.searchParams.append(name, value);
      expect(refusalOf(await browser.get(callback))).toEqual(refused('state_invalid'));
      expect(tokenCalls()).toBe(before);
      expect(await app.session(browser)).toBeNull();
    },
  );
});

describe('the iss of the authorization response (RFC 9207)', () => {
  it('is accepted when it is the issuer', async () => {
    const browser = advertising.browser();
    const page = await advertising.signIn(browser, { callback: { iss: advertising.provider.issuer } });
    expect(page.url.pathname).toBe('/profile');
  });

  it.each([
    ['that of another provider', (issuer: string) => `${issuer}1`],
    ['the issuer with a trailing slash', (issuer: string) => `${issuer}/`],
    ['empty', () => ''],
  ])('results in check_failed without a token request when it is %s', async (_name, change) => {
    for (const running of [advertising, app]) {
      const browser = running.browser();
      const before = running.provider.requestsTo(TOKEN).length;
      const page = await running.signIn(browser, { callback: { iss: change(running.provider.issuer) } });
      expect(refusalOf(page)).toEqual(refused('check_failed'));
      expect(running.provider.requestsTo(TOKEN)).toHaveLength(before);
      expect(await running.session(browser)).toBeNull();
    }
  });

  it('results in check_failed when it is missing although the metadata promise it', async () => {
    const browser = advertising.browser();
    const before = advertising.provider.requestsTo(TOKEN).length;
    expect(refusalOf(await advertising.signIn(browser))).toEqual(refused('check_failed'));
    expect(advertising.provider.requestsTo(TOKEN)).toHaveLength(before);
    expect(await advertising.session(browser)).toBeNull();
  });

  it('results in check_failed when it is wrong in an error response', async () => {
    const browser = advertising.browser();
    const callback = { code: undefined, error: 'access_denied', iss: 'https://evil.example' };
    expect(refusalOf(await advertising.signIn(browser, { callback }))).toEqual(refused('check_failed'));
  });
});

describe('several sign-ins in one browser', () => {
  it('finish in any order, each at its own return target', async () => {
    const browser = app.browser();
    const targets = [1, 2, 3, 4, 5].map((tab) => `/profile?tab=${tab}&x=%26`);
    const callbacks: URL[] = [];
    for (const target of targets) callbacks.push(await app.callbackOf(browser, {}, target));
    for (const tab of [3, 0, 4, 1, 2]) {
      const page = await browser.get(callbacks[tab] ?? '');
      expect(page.url.pathname + page.url.search).toBe(targets[tab]);
    }
  });

  it('leave five cookies at most, each for 15 minutes at most, and none when they are finished', async () => {
    const browser = app.browser();
    const callbacks: URL[] = [];
    for (let start = 0; start < 50; start++) callbacks.push(await app.callbackOf(browser));
    const cookies = await loginCookies(browser);
    expect(cookies.length).toBeGreaterThan(0);
    expect(cookies.length).toBeLessThanOrEqual(5);
    for (const cookie of cookies) {
      expect(cookie.TTL()).toBeLessThanOrEqual(15 * 60_000);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/' });
    }
    expect((await browser.cookieHeader()).length).toBeLessThan(8_192);

    const before = tokenCalls();
    await browser.get(callbacks.at(-1) ?? '');
    expect(tokenCalls()).toBe(before + 1);
    for (const callback of callbacks.slice(0, -1)) await browser.get(callback);
    expect(await app.session(browser)).not.toBeNull();
    expect(await loginCookies(browser)).toEqual([]);
  });
});

describe('a callback without its login cookie', () => {
  it('leads to the return target when there is a session', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    await app.signIn(browser);
    browser.forget(/authjs\.login-/);
    const before = tokenCalls();
    const page = await browser.get(callback);
    expect(page.url.href).toBe(`${app.origin}/profile`);
    expect(page.status).toBe(200);
    expect(tokenCalls()).toBe(before);
  });

  it('starts the sign-in again once when there is no session', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    browser.forget(/authjs\.login-/);
    const page = await browser.get(callback);
    expect(page.path.map(({ pathname }) => pathname)).toContain('/oauth/v2/authorize');
    expect(page.url.pathname).toBe('/profile');
    expect(await app.session(browser)).not.toBeNull();
  });

  it('results in an error page when the second sign-in has lost its cookie, too', async () => {
    const browser = app.browser();
    const first = await app.callbackOf(browser);
    browser.forget(/authjs\.login-/);
    const second = await browser.stopAt('/auth/callback', async () => {
      const response = await browser.request('GET', first);
      expect(response.status).toBe(302);
      return browser.get(response.headers['location'] ?? '');
    });
    browser.forget(/authjs\.login-/);
    const page = await browser.get(second);
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/callback', '/auth/error']);
    expect(page.url.searchParams.get('reason')).toMatch(/^login_(timed_out|already_used)$/);
    expect(page.status).toBe(400);
    expect(page.document.querySelector('main a[href^="/auth/login"]')).not.toBeNull();
  });

  it('does not redirect in a loop after a sign-out', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    await browser.get(callback);
    await app.logOut(browser);
    const page = await browser.get(callback);
    expect(page.status).toBeLessThan(500);
    expect(page.path.filter(({ pathname }) => pathname === '/auth/callback').length).toBeLessThanOrEqual(2);
  });
});

describe('an error response', () => {
  const html = '<script>alert(1)</script>"><img src=x onerror=alert(2)>';

  it.each([
    ['access_denied', 'access_denied'],
    ['interaction_required', 'interaction_required'],
    ['login_required', 'interaction_required'],
    ['temporarily_unavailable', 'provider_unavailable'],
    ['server_error', 'provider_unavailable'],
    ['<script>alert(1)</script>', 'provider_error'],
  ] as const)(
    'with the error %s has a page with a reference and creates no session',
    async (error, reason) => {
      const browser = app.browser();
      const before = tokenCalls();
      const page = await app.signIn(browser, {
        callback: { code: undefined, error, error_description: html, error_uri: 'https://evil.example/' },
      });
      expect(refusalOf(page)).toEqual(refused(reason));
      expect(page.url.origin).toBe(app.origin);
      expect(page.text).not.toMatch(/alert\(|evil\.example/);
      expect(textOf(page).length).toBeGreaterThan(40);
      expect(page.document.querySelector('main a[href^="/auth/login"]')).not.toBeNull();
      expect(page.url.searchParams.get('ref')).toMatch(/^[0-9a-f]{12}$/);
      expect(textOf(page)).toContain(page.url.searchParams.get('ref'));
      expect(tokenCalls()).toBe(before);
      expect(await app.session(browser)).toBeNull();
    },
  );

  it('beside a code is handled without redeeming the code', async () => {
    const browser = app.browser();
    const before = tokenCalls();
    expect(refusalOf(await app.signIn(browser, { callback: { error: 'access_denied' } }))).toEqual(
      refused('access_denied'),
    );
    expect(tokenCalls()).toBe(before);
  });

  it('with an unknown state is not handled as the error of a sign-in', async () => {
    const page = await app.browser().get('/auth/callback?error=access_denied&state=nobodys');
    expect(page.url.pathname).toBe('/auth/error');
    expect(page.url.searchParams.get('reason')).not.toBe('access_denied');
  });

  it('is JSON for a program', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser, {
      callback: { code: undefined, error: 'access_denied' },
    });
    const response = await fetch(callback, {
      redirect: 'manual',
      headers: { accept: 'application/json', cookie: await browser.cookieHeader() },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 'AUTH_SIGN_IN_FAILED',
      reason: 'access_denied',
      reference: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });
});

describe('a sign-in for one organization', () => {
  const HOME = '300000000000000001';
  const at = (organization: string) => `/auth/login?${new URLSearchParams({ organization }).toString()}`;
  const CLAIM = 'urn:zitadel:iam:user:resourceowner';

  it.each([HOME, 'acme.example', 'ACME.example'])(
    'accepts a member of the organization: %s',
    async (organization) => {
      const page = await app.signIn(app.browser(), {}, at(organization));
      expect(page.url.pathname).toBe('/profile');
    },
  );

  it.each([
    ['an organization id', '300000000000000002', {}],
    ['an organization domain', 'globex.example', {}],
    ['a domain with the same beginning', 'acme.example.evil', {}],
    // These claims repeat the scope for every user.
    [
      'an id that is repeated in a claim',
      '300000000000000002',
      { 'urn:zitadel:iam:org:id': '300000000000000002' },
    ],
    [
      'a domain that is repeated in a claim',
      'globex.example',
      { 'urn:zitadel:iam:org:domain:primary': 'globex.example' },
    ],
    ['no resourceowner claims', HOME, { [`${CLAIM}:id`]: undefined }],
  ])(
    'refuses a user of another organization and revokes the tokens: %s',
    async (_name, organization, userinfo) => {
      const browser = app.browser();
      const page = await app.signIn(browser, { userinfo }, at(organization));
      expect(refusalOf(page)).toEqual(refused('organization_mismatch'));
      expect(textOf(page)).toContain('another organization');
      expect(await app.session(browser)).toBeNull();
      const [refreshToken] = app.provider.lastLogin.refreshTokens;
      await until(() => app.provider.revokedTokens().includes(refreshToken));
      expect(app.provider.revokedTokens()).toContain(refreshToken);
    },
  );

  it('keeps the previous session when it refuses the user', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    await app.signIn(browser, { person: people.bob }, at('globex.example'));
    expect((await app.session(browser))?.user).toMatchObject({ name: 'Alice Archer' });
  });

  it('is not restarted without the organization by a late callback', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser, {}, at(HOME));
    browser.forget(/authjs\.login-/);
    expect(refusalOf(await browser.get(callback))).toEqual(refused('login_already_used'));
  });

  it.each([
    ['Errors.Org.NotFound', 'organization_unknown'],
    ['Errors.User.NotAllowedOrg', 'organization_mismatch'],
    ['Errors.User.NotActive', 'access_denied'],
    ['Errors.User.Locked', 'access_denied'],
    ['something else', 'provider_misconfigured'],
  ] as const)(
    'fails with a reason that depends on the error_description: %s',
    async (description, reason) => {
      const callback = { code: undefined, error: 'invalid_request', error_description: description };
      expect(refusalOf(await app.signIn(app.browser(), { callback }))).toEqual(refused(reason));
    },
  );
});

describe('the session after a sign-in', () => {
  it('is new, whatever session cookie was there before', async () => {
    const mallory = app.browser();
    await app.signIn(mallory, { person: people.mallory });
    const planted = (await mallory.sessionCookie())?.value ?? '';
    const victim = app.browser();
    const login = await victim.get('/auth/login');
    await victim.jar.setCookie(
      `${withPort('authjs.session-token', app.origin)}=${planted}; Path=/`,
      app.origin,
    );
    await victim.submit(login, 'form[action="/auth/signin/zitadel"]');
    expect((await victim.sessionCookie())?.value).not.toBe(planted);
    expect((await app.session(victim))?.user).toMatchObject({ name: 'Alice Archer' });
  });

  it('is new at each sign-in of the same user', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const first = (await browser.sessionCookie())?.value;
    browser.forget(/session-token/);
    await app.signIn(browser);
    expect((await browser.sessionCookie())?.value).toEqual(expect.any(String));
    expect((await browser.sessionCookie())?.value).not.toBe(first);
  });

  it('replaces the previous session, which ends for every copy of its cookie', async () => {
    const browser = app.browser();
    await app.signIn(browser);
    const cookie = `${withPort('authjs.session-token', app.origin)}=${(await browser.sessionCookie())?.value}`;
    await app.signIn(browser, undefined, '/auth/login?prompt=login');
    expect((await browser.sessionCookie())?.value).toEqual(expect.any(String));
    const replay = await fetch(`${app.origin}/auth/session`, { headers: { cookie } });
    expect(await replay.json()).toBeNull();
    expect(await app.session(browser)).not.toBeNull();
  });
});
