import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox } from 'zitadel-sandbox';
import { en } from '../src/texts/en.js';
import { Browser } from './support/browser.js';
import { LoginOrigin } from '../packages/nestjs-zitadel/src/sign-in/login-origin.js';
import { moveTime } from './support/move-time.js';
import { rawRequest } from './support/raw-request.js';
import { refusalOf, refused } from './support/refusal.js';
import { choose, signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';
import { withPort } from './support/with-port.js';
import { metricsOf } from './support/metrics.js';

/** The time of two refusals that end a session: one of a token that is ten seconds old, and one two seconds later. */
const TWO_REFUSALS_MS = 12_000;

let app: RunningApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('without a session,', () => {
  it('the landing page has a link to the login page', async () => {
    const page = await app.browser().get('/');
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/^<!doctype html>/i);
    expect(page.document.querySelector('main a[href="/auth/login"]')?.text).toBe('Log in');
  });

  it('a page request is redirected to the login page with the page and its query as return target', async () => {
    const page = await app.browser().get('/profile?tab=roles&x=%26');
    expect(page.url.pathname).toBe('/auth/login');
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/profile', '/auth/login']);
    expect(page.url.searchParams.get('callbackUrl')).toBe('/profile?tab=roles&x=%26');
    expect(page.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value')).toBe(
      '/profile?tab=roles&x=%26',
    );
  });

  it('a request of a program gets 401 and JSON', async () => {
    const response = await fetch(`${app.origin}/profile`, { redirect: 'manual', headers: { accept: '*/*' } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ statusCode: 401, code: 'AUTH_SESSION_REQUIRED' });
  });

  it('/auth/session returns null', async () => {
    const response = await fetch(`${app.origin}/auth/session`);
    expect(response.status).toBe(200);
    expect(await response.json()).toBeNull();
  });

  it('/auth/providers names the provider', async () => {
    const response = await fetch(`${app.origin}/auth/providers`);
    expect(await response.json()).toMatchObject({ zitadel: { id: 'zitadel', type: 'oidc' } });
  });
});

describe('the authorization request', () => {
  it('has response_type=code, PKCE, state, nonce and exactly the configured redirect URI', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    const query = people.path.find(({ pathname }) => pathname === '/oauth/v2/authorize')?.searchParams;
    expect(Object.fromEntries(query ?? [])).toMatchObject({
      response_type: 'code',
      client_id: app.sandbox.clients.web.clientId,
      redirect_uri: `${app.origin}/auth/callback`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(query?.get('state')?.length).toBeGreaterThan(21);
    expect(query?.get('nonce')?.length).toBeGreaterThan(21);
    expect(query?.get('scope')?.split(' ')).toEqual(
      expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']),
    );
  });

  it('is not changed by the query of the form action or by forged host headers', async () => {
    const browser = app.browser();
    const login = await browser.get('/auth/login');
    const csrfToken = login.document.querySelector('input[name="csrfToken"]')?.getAttribute('value') ?? '';
    const response = await browser.request(
      'POST',
      new URL('/auth/signin/zitadel?redirect_uri=https://evil.example&client_id=evil&scope=all', app.origin),
      new URLSearchParams({ csrfToken }),
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    );
    expect(response.status).toBe(303);
    const { searchParams, origin } = new URL(response.headers['location'] ?? '');
    expect(origin).toBe(app.sandbox.issuer);
    expect(searchParams.get('redirect_uri')).toBe(`${app.origin}/auth/callback`);
    expect(searchParams.get('client_id')).toBe(app.sandbox.clients.web.clientId);
    expect(searchParams.get('scope')).toContain('openid');
  });
});

describe('a sign-in', () => {
  it('leads to the profile with name, e-mail, roles and organization', async () => {
    const page = await signIn(app.browser(), 'alice@acme.example');
    const alice = app.sandbox.users.find(({ loginName }) => loginName === 'alice@acme.example');
    expect(page.url.href).toBe(`${app.origin}/profile`);
    expect(page.status).toBe(200);
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.document.querySelector('h1')?.text).toBe('Alice Archer');
    expect(textOf(page)).toContain('alice@acme.example ✓ verified');
    expect(textOf(page)).toContain('admin granted by acme.example');
    expect(textOf(page)).toContain('editor granted by acme.example');
    expect(textOf(page)).toContain('Acme');
    expect(textOf(page)).toContain(alice?.id);
  });

  it('returns to the requested page with its query', async () => {
    const page = await signIn(app.browser(), 'bob@acme.example', '/profile?from=a%20bookmark&n=1');
    expect(page.url.href).toBe(`${app.origin}/profile?from=a%20bookmark&n=1`);
    expect(textOf(page)).toContain('not verified');
  });

  it.each([
    '//evil.example',
    'https://evil.example/',
    '/\\evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
  ])('does not return to %s', async (target) => {
    const page = await signIn(
      app.browser(),
      'bob@acme.example',
      `/auth/login?callbackUrl=${encodeURIComponent(target)}`,
    );
    expect(page.url.href).toBe(`${app.origin}/profile`);
  });

  it('does not return to another origin that a forged form names', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form', {
      fields: { callbackUrl: 'https://evil.example/' },
    });
    expect((await choose(browser, people, 'bob@acme.example')).url.href).toBe(`${app.origin}/profile`);
  });

  it('is not needed when the login page is opened with a session', async () => {
    const browser = app.browser();
    await signIn(browser, 'bob@acme.example');
    expect((await browser.get('/auth/login?callbackUrl=/')).url.pathname).toBe('/');
  });

  it('during a session shows the current user and a link to go on', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const page = await browser.get('/auth/login?prompt=login&callbackUrl=/admin');
    expect(textOf(page)).toContain('Signed in as Alice Archer');
    expect(page.document.querySelector('main a[href="/admin"]')?.text).toBe('Go on as you are');
    expect(textOf(await app.browser().get('/auth/login?prompt=login'))).not.toContain('Signed in as');
  });

  it('shows a role that another organization granted', async () => {
    const page = await signIn(app.browser(), 'carol@globex.example');
    expect(textOf(page)).toContain('granted by globex.example');
    expect(textOf(page)).toContain('Globex');
  });

  it('opens /admin to the role admin and returns 403 to other users', async () => {
    const alice = app.browser();
    await signIn(alice, 'alice@acme.example');
    expect((await alice.get('/admin')).status).toBe(200);

    const bob = app.browser();
    await signIn(bob, 'bob@acme.example');
    const refused = await bob.get('/admin');
    expect(refused.status).toBe(403);
    expect(textOf(refused)).toContain('a role you do not have');
    const json = await bob.get('/admin', { 'sec-fetch-mode': 'cors', accept: 'application/json' });
    expect(json.status).toBe(403);
    expect(JSON.parse(json.text)).toMatchObject({ statusCode: 403, code: 'AUTH_ROLES_REQUIRED' });
  });

  it('reveals no token to the browser', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const session = await browser.get('/auth/session');
    expect(JSON.parse(session.text)).toMatchObject({
      user: { name: 'Alice Archer', roles: ['admin', 'editor'] },
    });
    for (const { text } of [profile, session])
      expect(text).not.toMatch(/eyJ|accessToken|refreshToken|idToken/);
    for (const cookie of await browser.cookies()) {
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/', secure: false });
    }
  });
});

describe('while the login origin is unknown,', () => {
  let own: RunningApp;
  const clicked = {
    'sec-fetch-site': 'same-origin',
    'sec-fetch-user': '?1',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  beforeAll(async () => {
    own = await startApp({ env: { ZITADEL_REGISTRATION: 'true' } });
    own.app.get(LoginOrigin).expect();
  });
  afterAll(() => own.close());

  const start = (headers: Record<string, string>, query = '') =>
    own.browser().request('GET', new URL(`/auth/start${query}`, own.origin), undefined, headers);

  it('the login page has a link that starts the sign-in with the parameters of the form', async () => {
    const page = await own
      .browser()
      .get('/auth/login?callbackUrl=/admin&login_hint=bob&reason=revoked&evil=1');
    expect(page.document.querySelector('main form')).toBeNull();
    const links = page.document.querySelectorAll('main a[href^="/auth/start"]');
    const [link, register] = links.map((element) => new URL(element.getAttribute('href') ?? '', own.origin));
    expect(Object.fromEntries(link?.searchParams ?? [])).toEqual({
      callbackUrl: '/admin',
      login_hint: 'bob',
      reason: 'revoked',
    });
    expect(register?.searchParams.get('prompt')).toBe('create');
    const answer = await start(clicked, link?.search);
    expect(answer.status).toBe(303);
    const { origin, pathname, searchParams } = new URL(answer.headers['location'] ?? '');
    expect([origin, pathname]).toEqual([own.sandbox.issuer, '/oauth/v2/authorize']);
    expect([searchParams.get('login_hint'), searchParams.get('prompt')]).toEqual(['bob', 'login']);
  });

  it.each([
    ['another site', { ...clicked, 'sec-fetch-site': 'cross-site' }],
    ['a sibling of this host', { ...clicked, 'sec-fetch-site': 'same-site' }],
    ['the address bar', { ...clicked, 'sec-fetch-site': 'none' }],
    ['a script', { ...clicked, 'sec-fetch-user': '' }],
    ['an image', { ...clicked, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { ...clicked, 'sec-fetch-dest': 'iframe' }],
    ['a browser that prefetches', { ...clicked, 'sec-purpose': 'prefetch;prerender' }],
    ['a browser without Fetch Metadata', {}],
  ])(
    'a request of /auth/start from %s starts no sign-in and gets the login page with its form',
    async (_name, headers) => {
      const answer = await start(headers, '?callbackUrl=/admin');
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('<form method="post" action="/auth/signin/zitadel">');
      expect(String(answer.headers['set-cookie'] ?? '')).not.toContain('authjs.login-');
    },
  );

  it('the form returns as soon as the login origin is known, and form-action contains it', async () => {
    const policy = async (path: string) =>
      (await own.browser().get(path)).headers['content-security-policy'] as string;
    own.app.get(LoginOrigin).learn('https://login.example.com/ui/v2/login/login?authRequest=V2_1');
    const page = await own.browser().get('/auth/login');
    expect(page.document.querySelector('main form[action="/auth/signin/zitadel"]')).not.toBeNull();
    for (const path of ['/', '/auth/login', '/auth/logout/success'])
      expect(await policy(path)).toContain(
        `form-action 'self' ${own.sandbox.issuer} https://login.example.com;`,
      );
    own.app.get(LoginOrigin).learn(`${own.sandbox.issuer}/ui/v2/login/login?authRequest=V2_1`);
    expect(await policy('/')).toContain(`form-action 'self' ${own.sandbox.issuer};`);
  });
});

describe('a sign-in with max_age', () => {
  it('is repeated with prompt=login when Zitadel ignores max_age', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    moveTime(120_000);
    const asked = await browser.submit(
      await browser.get('/auth/login?max_age=60&callbackUrl=/admin'),
      'main form',
    );
    const own = asked.path.map(({ pathname }) => pathname).filter((path) => !path.startsWith('/ui/'));
    expect(own).toEqual([
      '/auth/signin/zitadel',
      '/oauth/v2/authorize',
      '/auth/callback',
      '/oauth/v2/authorize',
    ]);
    expect(asked.url.origin).toBe(app.sandbox.issuer);
    expect((await choose(browser, asked, 'alice@acme.example')).url.href).toBe(`${app.origin}/admin`);
  });
});

describe('a sign-in for one organization', () => {
  let own: RunningApp;
  const DOMAIN = 'umlaut--söhne-gmbh.example';
  const at = (organization: string) => `/auth/login?${new URLSearchParams({ organization }).toString()}`;
  beforeAll(async () => {
    own = await startApp({
      sandbox: {
        users: [
          { loginName: 'ute@umlaut.example', organization: 'Umlaut & Söhne GmbH' },
          { loginName: 'alice@acme.example', organization: 'Acme' },
        ],
      },
    });
  });
  afterAll(() => own.close());

  it('accepts its member when its domain has letters outside ASCII', async () => {
    expect((await signIn(own.browser(), 'ute@umlaut.example', at(DOMAIN))).url.pathname).toBe('/profile');
    const asked = own.sandbox.requests.filter(({ path }) => path === '/oauth/v2/authorize').at(-1);
    expect(asked?.query['scope']).toContain(` urn:zitadel:iam:org:domain:primary:${DOMAIN}`);
  });

  it('does not use a session of another organization at Zitadel', async () => {
    const browser = own.browser();
    await signIn(browser, 'alice@acme.example');
    browser.forget(/session-token/);
    const page = await browser.submit(await browser.get(at(DOMAIN)), 'main form');
    expect(page.url.origin).toBe(own.sandbox.issuer);
  });

  it('that Zitadel does not know ends with organization_unknown and no metric of a misconfiguration', async () => {
    const browser = own.browser();
    const failed = await browser.submit(await browser.get(at('999')), 'main form');
    expect([failed.url.pathname, failed.url.searchParams.get('reason'), failed.status]).toEqual([
      '/auth/error',
      'organization_unknown',
      400,
    ]);
    expect(textOf(failed)).toContain('organization is not known');
    const metrics = await metricsOf(own.origin);
    expect(metrics).toContain('logins_total{result="organization_unknown"} 1');
    expect(metrics).not.toContain('result="provider_misconfigured"');
  });
});

describe('a failed sign-in', () => {
  it('by Cancel shows access_denied with 403 and no code in the address', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    const page = await browser.submit(people, 'form:has(button[name="cancel"])', { button: 'Cancel' });
    expect(page.url.pathname + page.url.search).toMatch(
      /^\/auth\/error\?error=AccessDenied&reason=access_denied&ref=[0-9a-f]{12}$/,
    );
    expect(page.status).toBe(403);
    expect(textOf(page)).toContain('You were not signed in');
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('with a callback of another browser shows cookie_missing with 400', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    const stranger = app.browser();
    const { path } = await choose(browser, people, 'alice@acme.example');
    const callback = path.find(({ pathname }) => pathname === '/auth/callback');
    const page = await stranger.get(callback ?? '');
    expect(page.status).toBe(400);
    expect(page.url.search).toMatch(/^\?error=Configuration&reason=cookie_missing&ref=/);
    expect((await stranger.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('with a wrong CSRF token shows a page with 403', async () => {
    const browser = app.browser();
    const page = await browser.submit(await browser.get('/auth/login'), 'main form', {
      fields: { csrfToken: 'wrong' },
    });
    expect(page.status).toBe(403);
    expect(textOf(page)).toContain('reload the page');
  });

  it('at another host name of this machine shows the configured origin', async () => {
    const elsewhere = new Browser(app.origin.replace('localhost', '127.0.0.1'));
    const refused = await elsewhere.submit(await elsewhere.get('/auth/login'), 'main form');
    expect(refused.status).toBe(403);
    expect(refused.document.querySelector('main a')?.getAttribute('href')).toBe(app.origin);
    expect(textOf(refused)).toContain(`at its own address: ${app.origin}`);
    expect(textOf(await elsewhere.get('/auth/error?reason=provider_error'))).not.toContain(app.origin);
  });

  it.each([
    ['access_denied', ['/auth/login', '/']],
    ['organization_unknown', ['/']],
    ['organization_mismatch', ['/']],
    ['provider_misconfigured', ['/']],
    ['login_too_old', ['/auth/logout', '/']],
  ])('has only links that can help for %s', async (reason, ways) => {
    const page = await app.browser().get(`/auth/error?reason=${reason}`);
    const found = page.document.querySelectorAll('main a, main form');
    expect(found.map((way) => way.getAttribute('href') ?? way.getAttribute('action'))).toEqual(ways);
  });

  it('with login_too_old has a form that leads to the sign-out at Zitadel', async () => {
    const browser = app.browser();
    const page = await browser.submit(await browser.get('/auth/error?reason=login_too_old'), 'main form');
    expect(page.url.pathname + page.url.search).toBe('/auth/logout/success?ended=before');
  });

  it.each(['cookie_missing', 'other_browser'])(
    'without its cookies shows the configured origin for %s',
    async (reason) => {
      const page = await app.browser().get(`/auth/error?reason=${reason}`);
      expect(textOf(page)).toContain(`at its own address: ${app.origin}`);
    },
  );

  it.each([
    ['error=access_denied', 403, 'access_denied'],
    ['error=AccessDenied', 403, 'access_denied'],
    ['error=AccessDenied&reason=user_locked', 400, 'user_locked'],
    ['error=login_timed_out', 400, 'login_timed_out'],
    ['error=Configuration', 400, 'unknown'],
    ['', 400, 'unknown'],
  ] as const)(
    'shows the text of its reason, or of its error without a reason: %s',
    async (query, status, reason) => {
      const page = await app.browser().get(`/auth/error?${query}`);
      const title = page.document.querySelector('main h1')?.text.trim();
      expect([page.status, title]).toEqual([status, en[`signIn.${reason}.title`]]);
    },
  );

  it('shows no unknown reason of the query', async () => {
    const page = await app.browser().get('/auth/error?reason=%3Cscript%3Ealert(1)%3C/script%3E');
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('alert(1)');
  });
});

describe('a user whose language', () => {
  it.each([
    ['is not set', null],
    ['has a region extension', 'en-u-rg-uszzzz'],
    ['is invalid', 'x--y'],
  ])('%s sees every page without "null"', async (_name, locale) => {
    const own = await startApp({
      sandbox: { web: { idTokenUserinfo: true }, users: [{ loginName: 'carol@acme.example', locale }] },
    });
    try {
      const browser = own.browser();
      expect((await signIn(browser, 'carol@acme.example')).url.pathname).toBe('/profile');
      for (const path of ['/', '/profile', '/profile/live', '/admin']) {
        const page = await browser.get(path, { 'accept-language': locale ?? '*' });
        expect(page.status).toBe(path === '/admin' ? 403 : 200);
        expect(textOf(page)).not.toContain('null');
      }
      const claims = JSON.parse((await browser.get('/auth/userinfo')).text) as Record<string, unknown>;
      expect(claims['locale']).toBe(locale);
    } finally {
      await own.close();
    }
  });
});

describe('a sign-in whose user is', () => {
  it.each([
    ['locked', 'user_locked', 'Your account is locked'],
    ['removed', 'user_not_found', 'Your account is no longer there'],
    ['deactivated', 'access_denied', 'You were not signed in'],
  ] as const)('%s before the callback fails with a reason of its own', async (what, reason, title) => {
    const own = await startApp({
      sandbox: { web: { loginVersion: 1 }, users: [{ loginName: 'carol@acme.example' }] },
    });
    try {
      const browser = own.browser();
      const callback = await browser.stopAt('/auth/callback', () => signIn(browser, 'carol@acme.example'));
      if (what === 'locked') own.sandbox.lockUser('carol@acme.example');
      if (what === 'removed') own.sandbox.removeUser('carol@acme.example');
      if (what === 'deactivated') own.sandbox.setUserActive('carol@acme.example', false);
      const page = await browser.get(callback);
      expect(refusalOf(page)).toEqual(refused(reason));
      expect(textOf(page)).toContain(title);
    } finally {
      await own.close();
    }
  });
});

describe('when Zitadel has just started,', () => {
  const USERINFO = '/oidc/v1/userinfo';
  const calls = (path: string) => app.sandbox.requests.filter((request) => request.path === path).length;

  it.each([
    ['closes the connection', () => app.sandbox.drop(USERINFO, 1)],
    ['returns 503', () => app.sandbox.fail(USERINFO, 503, 1)],
  ])('a userinfo request is sent again if Zitadel %s', async (_name, trouble) => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const before = calls(USERINFO);
    trouble();
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
    expect(calls(USERINFO)).toBe(before + 2);
  });

  it.each([
    ['closes the connection', () => app.sandbox.drop('/oauth/v2/revoke', 1)],
    ['returns 503', () => app.sandbox.fail('/oauth/v2/revoke', 503, 1)],
  ])('a revocation is sent again if Zitadel %s', async (_name, trouble) => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const before = calls('/oauth/v2/revoke');
    trouble();
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(calls('/oauth/v2/revoke')).toBe(before + 2);
  });

  it('a code exchange is not sent again', async () => {
    const before = calls('/oauth/v2/token');
    app.sandbox.fail('/oauth/v2/token', 503, 1);
    const page = await signIn(app.browser(), 'alice@acme.example');
    expect(refusalOf(page)).toEqual(refused('provider_unavailable'));
    expect(calls('/oauth/v2/token')).toBe(before + 1);
  });
});

// Before the tests that end sessions: the response to their revocation in the background would count as well.
describe('the health check of Zitadel', () => {
  it('is requested before a redirect unless one succeeded within two seconds', async () => {
    const asked = () => app.sandbox.requests.filter(({ path }) => path === '/debug/healthz').length;
    const begin = async () => {
      const browser = app.browser();
      await browser.submit(await browser.get('/auth/login'), 'main form');
    };
    moveTime(3_000);
    const before = asked();
    await Promise.all([begin(), begin(), begin()]);
    await begin();
    expect(asked()).toBe(before + 1);
    moveTime(3_000);
    await begin();
    expect(asked()).toBe(before + 2);
  });
});

describe('/auth/userinfo', () => {
  it('returns the current claims of Zitadel', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const page = await browser.get('/auth/userinfo');
    expect(page.status).toBe(200);
    expect(JSON.parse(page.text)).toMatchObject({
      email: 'alice@acme.example',
      'urn:zitadel:iam:org:project:roles': { admin: expect.any(Object), editor: expect.any(Object) },
      'urn:zitadel:iam:user:resourceowner:name': 'Acme',
    });
  });

  it('leads to the login page with the reason after two refusals of the access token', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    app.sandbox.expire('access_tokens');
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    moveTime(TWO_REFUSALS_MS);
    const page = await browser.get('/auth/userinfo');
    expect(page.url.pathname).toBe('/auth/login');
    expect(page.document.querySelector('[role="status"]')?.text).toContain('Your session here was ended');
    expect(page.document.querySelector('form[action="/auth/signin/zitadel"]')).not.toBeNull();
  });

  it('returns 401 with reason and loginUrl to a program after two refusals of the access token', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    app.sandbox.expire('access_tokens');
    await browser.get('/auth/userinfo');
    moveTime(TWO_REFUSALS_MS);
    const answer = await browser.get('/auth/userinfo', { 'sec-fetch-mode': 'cors' });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'AUTH_SESSION_ENDED',
      reason: 'revoked',
      loginUrl: '/auth/login',
    });
  });
});

describe('while Zitadel is down,', () => {
  it('a sign-in fails with provider_unavailable, a sign-out ends the session here, and both succeed when it is back', async () => {
    const own = await startApp();
    try {
      const browser = own.browser();
      const profile = await signIn(browser, 'alice@acme.example');
      const cookie = await browser.cookieHeader();
      await own.sandbox.close();

      const out = await browser.submit(profile, 'main form[action="/auth/logout"]');
      expect(out.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/error']);
      expect([out.url.search, out.status]).toEqual(['?reason=provider_unavailable', 400]);
      expect(textOf(out)).toContain('Zitadel could not be told');
      expect((await fetch(`${own.origin}/profile`, { headers: { cookie } })).status).toBe(401);

      const failed = await browser.submit(await browser.get('/profile'), 'main form');
      expect(refusalOf(failed)).toEqual(refused('provider_unavailable'));
      expect([failed.url.pathname, failed.status]).toEqual(['/auth/signin/zitadel', 503]);
      const again = failed.document.querySelector('main a[href^="/auth/login"]')?.getAttribute('href') ?? '';

      const back = await startSandbox({
        port: Number(new URL(own.sandbox.issuer).port),
        web: { redirectUris: [`${own.origin}/auth/callback`] },
      });
      try {
        moveTime(5_000);
        expect((await signIn(browser, 'alice@acme.example', again)).url.pathname).toBe('/profile');
      } finally {
        await back.close();
      }
    } finally {
      await own.close();
    }
  });
});

describe('the web application', () => {
  it('returns its 404 as a page to a browser', async () => {
    const page = await app.browser().get('/no/such/page');
    expect(page.status).toBe(404);
    expect(textOf(page)).toContain('Page not found');
    expect(page.text).not.toMatch(/Cannot GET|node_modules|at .*\.js/);
  });

  it('returns its 404 as JSON to a program', async () => {
    const response = await fetch(`${app.origin}/no/such/page`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ statusCode: 404, message: 'Page not found' });
  });

  it.each([
    ['GET', '/auth/nonsense', 404],
    ['GET', '/auth/callback/other', 404],
    ['GET', '/auth/verify-request', 404],
    ['GET', '/auth/webauthn-options', 404],
    ['GET', '/%', 404],
    ['GET', '/auth/%', 400],
    ['GET', '/static/../package.json', 404],
    ['GET', '/static/%2e%2e/package.json', 404],
    ['PUT', '/auth/signin/zitadel', 405],
  ])('responds to %s %s with a page and %i', async (method, address, status) => {
    const response = await app.browser().request(method, new URL(app.origin + address));
    expect(response.status).toBe(status);
    expect(response.text).toContain('<!doctype html>');
  });

  it.each([
    'POST /auth/./signin/zitadel',
    'POST /auth/x/../signin/zitadel',
    'POST /auth/%2e/signin/zitadel',
    'POST /auth/signin\\zitadel',
    'GET /auth/./callback?code=x&state=y',
    'POST /auth/x/../signout',
    'POST /auth/../aaaa/signin/zitadel',
  ])('returns 404 for an unnormalized path: %s', async (target) => {
    expect(await rawRequest(app.origin, `${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('ignores the host of an absolute request target', async () => {
    const answer = await rawRequest(app.origin, 'GET http://evil.example/auth/providers HTTP/1.1');
    expect(answer).toContain(`${app.origin}/auth/signin/zitadel`);
    expect(answer).not.toContain('evil');
  });

  it.each(['TRACE', 'DELETE'])('returns 405 with Allow for %s below /auth', async (method) => {
    expect(await rawRequest(app.origin, `${method} /auth/signin/zitadel HTTP/1.1`)).toMatch(
      /^HTTP\/1\.1 405 [\s\S]*^Allow: GET, HEAD, POST\r$/m,
    );
  });

  it('responds to HEAD like GET without the body', async () => {
    const response = await app.browser().request('HEAD', new URL('/auth/providers', app.origin));
    expect([response.status, response.text]).toEqual([200, undefined]);
  });

  it('does not redeem the code of a callback for HEAD', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    const callback = await browser.stopAt('/auth/callback', () =>
      choose(browser, people, 'alice@acme.example'),
    );
    expect((await browser.request('HEAD', callback)).status).toBe(204);
    expect((await browser.get(callback)).url.pathname).toBe('/profile');
  });

  it.each([
    ['authjs.callback-url', 'nonsense'],
    ['authjs.csrf-token', 'x%7Cy'],
  ])('replaces an invalid cookie at a sign-in: %s=%s', async (name, value) => {
    const browser = app.browser();
    await browser.jar.setCookie(`${withPort(name, app.origin)}=${value}; Path=/`, app.origin);
    expect((await signIn(browser, 'alice@acme.example')).url.pathname).toBe('/profile');
  });

  it('keeps a second question mark in the query of a return target', async () => {
    const page = await app.browser().get('/auth/login?callbackUrl=/profile?a=b?c');
    expect(page.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value')).toBe(
      '/profile?a=b?c',
    );
  });

  it('shows the sign-out form on an error page during a session', async () => {
    const browser = app.browser();
    await signIn(browser, 'bob@acme.example');
    const page = await browser.get('/no/such/page');
    expect(page.document.querySelector('header form[action="/auth/logout"]')).not.toBeNull();
  });

  it('redirects a request with an invalid session cookie and deletes the cookie', async () => {
    const response = await app.browser().request('GET', new URL('/profile', app.origin), undefined, {
      cookie: `${withPort('authjs.session-token', app.origin)}=garbage`,
    });
    expect(response.status).toBe(302);
    expect(String(response.headers['set-cookie'])).toMatch(/authjs\.session-token-\d+=; Max-Age=0/);
  });
});
