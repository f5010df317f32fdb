import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox } from 'zitadel-sandbox';
import { en } from '../src/texts/en.js';
import { Browser, csrfFrom } from './support/browser.js';
import { LoginOrigin } from '../packages/nestjs-zitadel/src/sign-in/login-origin.js';
import { moveTime } from './support/move-time.js';
import { rawRequest } from './support/raw-request.js';
import { refusalOf, refused } from './support/refusal.js';
import { choose, signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';
import { withPort } from './support/with-port.js';

/** Two refusals end a session: of a token that is ten seconds old, and two seconds later. */
const TWO_REFUSALS_MS = 12_000;

let app: RunningApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('without a session', () => {
  it('shows the landing page to everyone', async () => {
    const page = await app.browser().get('/');
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/^<!doctype html>/i);
    expect(page.document.querySelector('main a[href="/auth/login"]')?.text).toBe('Log in');
  });

  it('sends a page request to the login page and remembers the page with its query', async () => {
    const page = await app.browser().get('/profile?tab=roles&x=%26');
    expect(page.url.pathname).toBe('/auth/login');
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/profile', '/auth/login']);
    expect(page.url.searchParams.get('callbackUrl')).toBe('/profile?tab=roles&x=%26');
    expect(page.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value')).toBe(
      '/profile?tab=roles&x=%26',
    );
  });

  it('answers a program with 401 and JSON', async () => {
    const response = await fetch(`${app.origin}/profile`, { redirect: 'manual', headers: { accept: '*/*' } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ statusCode: 401, code: 'AUTH_SESSION_REQUIRED' });
  });

  it('has no session to show', async () => {
    const response = await fetch(`${app.origin}/auth/session`);
    expect(response.status).toBe(200);
    expect(await response.json()).toBeNull();
  });

  it('names the provider', async () => {
    const response = await fetch(`${app.origin}/auth/providers`);
    expect(await response.json()).toMatchObject({ zitadel: { id: 'zitadel', type: 'oidc' } });
  });
});

describe('the authorization request', () => {
  it('asks for a code with PKCE, state and nonce, at exactly the configured redirect URI', async () => {
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

  it('takes nothing from the query of the sign-in or from forged host headers', async () => {
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

describe('signing in', () => {
  it('shows name, e-mail, roles and organization', async () => {
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

  it('returns to the page first asked for, with its query', async () => {
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

  it('does not return to another site when the form itself is forged', async () => {
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form', {
      fields: { callbackUrl: 'https://evil.example/' },
    });
    expect((await choose(browser, people, 'bob@acme.example')).url.href).toBe(`${app.origin}/profile`);
  });

  it('needs no second sign-in for the login page', async () => {
    const browser = app.browser();
    await signIn(browser, 'bob@acme.example');
    expect((await browser.get('/auth/login?callbackUrl=/')).url.pathname).toBe('/');
  });

  it('again, while signed in, says as whom', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const page = await browser.get('/auth/login?prompt=login&callbackUrl=/admin');
    expect(textOf(page)).toContain('Signed in as Alice Archer');
    expect(page.document.querySelector('main a[href="/admin"]')?.text).toBe('Go on as you are');
    expect(textOf(await app.browser().get('/auth/login?prompt=login'))).not.toContain('Signed in as');
  });

  it('shows the role of another organization', async () => {
    const page = await signIn(app.browser(), 'carol@globex.example');
    expect(textOf(page)).toContain('granted by globex.example');
    expect(textOf(page)).toContain('Globex');
  });

  it('opens the admin page to the role admin only', async () => {
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

  it('keeps tokens away from the browser', async () => {
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

describe('while it is not known where Zitadel’s login is', () => {
  let own: RunningApp;
  const clicked = {
    'sec-fetch-site': 'same-origin',
    'sec-fetch-user': '?1',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  beforeAll(async () => {
    own = await startApp();
    own.app.get(LoginOrigin).expect();
  });
  afterAll(() => own.close());

  const start = (headers: Record<string, string>, query = '') =>
    own.browser().request('GET', new URL(`/auth/start${query}`, own.origin), undefined, headers);

  it('the login page has a link, with all that the form would send', async () => {
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
    ['a browser that looks ahead', { ...clicked, 'sec-purpose': 'prefetch;prerender' }],
    ['a browser without Fetch Metadata', {}],
  ])('%s starts nothing, and gets the login page with its form', async (_name, headers) => {
    const answer = await start(headers, '?callbackUrl=/admin');
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('<form method="post" action="/auth/signin/zitadel">');
    expect(String(answer.headers['set-cookie'] ?? '')).not.toContain('authjs.login-');
  });

  it('the form is back when it is known, and pages name the origin', async () => {
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
  it('asks for the password again where Zitadel’s login does not look at it', async () => {
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

  it('is for its members, whatever letters its domain has', async () => {
    expect((await signIn(own.browser(), 'ute@umlaut.example', at(DOMAIN))).url.pathname).toBe('/profile');
    const asked = own.sandbox.requests.filter(({ path }) => path === '/oauth/v2/authorize').at(-1);
    expect(asked?.query['scope']).toContain(` urn:zitadel:iam:org:domain:primary:${DOMAIN}`);
  });

  it('lets nobody in by a session of another organization at Zitadel', async () => {
    const browser = own.browser();
    await signIn(browser, 'alice@acme.example');
    browser.forget(/session-token/);
    const page = await browser.submit(await browser.get(at(DOMAIN)), 'main form');
    expect(page.url.origin).toBe(own.sandbox.issuer);
  });

  it('that Zitadel does not know is a page about the link, and no alarm', async () => {
    const browser = own.browser();
    const failed = await browser.submit(await browser.get(at('999')), 'main form');
    expect([failed.url.pathname, failed.url.searchParams.get('reason'), failed.status]).toEqual([
      '/auth/error',
      'organization_unknown',
      400,
    ]);
    expect(textOf(failed)).toContain('organization is not known');
    const metrics = await (await fetch(`${own.origin}/metrics`)).text();
    expect(metrics).toContain('logins_total{result="organization_unknown"} 1');
    expect(metrics).not.toContain('result="provider_misconfigured"');
  });
});

describe('a sign-in that fails', () => {
  it('explains a cancelled sign-in, with no code left in the address', async () => {
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

  it('explains a callback that belongs to no sign-in of this browser', async () => {
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

  it('refuses a form without its token, as a page', async () => {
    const browser = app.browser();
    const page = await browser.submit(await browser.get('/auth/login'), 'main form', {
      fields: { csrfToken: 'wrong' },
    });
    expect(page.status).toBe(403);
    expect(textOf(page)).toContain('reload the page');
  });

  it('opened at another address of this machine, names its own', async () => {
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
  ])('offers nothing that does not help: %s', async (reason, ways) => {
    const page = await app.browser().get(`/auth/error?reason=${reason}`);
    const found = page.document.querySelectorAll('main a, main form');
    expect(found.map((way) => way.getAttribute('href') ?? way.getAttribute('action'))).toEqual(ways);
  });

  it('for a login that is too old, leads to the way out of Zitadel, too', async () => {
    const browser = app.browser();
    const page = await browser.submit(await browser.get('/auth/error?reason=login_too_old'), 'main form');
    expect(page.url.pathname + page.url.search).toBe('/auth/logout/success?ended=before');
  });

  it.each(['cookie_missing', 'other_browser'])(
    'without its cookies names the address they are for: %s',
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
  ] as const)('are explained by the reason, or else by the error: %s', async (query, status, reason) => {
    const page = await app.browser().get(`/auth/error?${query}`);
    const title = page.document.querySelector('main h1')?.text.trim();
    expect([page.status, title]).toEqual([status, en[`signIn.${reason}.title`]]);
  });

  it('shows no reason but its own on the error page', async () => {
    const page = await app.browser().get('/auth/error?reason=%3Cscript%3Ealert(1)%3C/script%3E');
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('alert(1)');
  });
});

describe('a user whose language', () => {
  it.each([
    ['nobody knows', null],
    ['has a region of its own', 'en-u-rg-uszzzz'],
    ['is no language', 'x--y'],
  ])('%s sees every page, and no "null" on it', async (_name, locale) => {
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

describe('a sign-in whose user changes on the way', () => {
  it.each([
    ['locked', 'user_locked', 'Your account is locked'],
    ['removed', 'user_not_found', 'Your account is no longer there'],
    ['deactivated', 'access_denied', 'You were not signed in'],
  ] as const)('is refused with a reason of its own: %s', async (what, reason, title) => {
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

describe('what may be sent twice is, when Zitadel has just started', () => {
  const USERINFO = '/oidc/v1/userinfo';
  const calls = (path: string) => app.sandbox.requests.filter((request) => request.path === path).length;

  it.each([
    ['hangs up', () => app.sandbox.drop(USERINFO, 1)],
    ['answers 503', () => app.sandbox.fail(USERINFO, 503, 1)],
  ])('and userinfo %s', async (_name, trouble) => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const before = calls(USERINFO);
    trouble();
    expect((await browser.get('/auth/userinfo')).status).toBe(200);
    expect(calls(USERINFO)).toBe(before + 2);
  });

  it.each([
    ['hangs up', () => app.sandbox.drop('/oauth/v2/revoke', 1)],
    ['answers 503', () => app.sandbox.fail('/oauth/v2/revoke', 503, 1)],
  ])('and a revocation %s', async (_name, trouble) => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const before = calls('/oauth/v2/revoke');
    trouble();
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(calls('/oauth/v2/revoke')).toBe(before + 2);
  });

  it('but not a code, which is used up', async () => {
    const before = calls('/oauth/v2/token');
    app.sandbox.fail('/oauth/v2/token', 503, 1);
    const page = await signIn(app.browser(), 'alice@acme.example');
    expect(refusalOf(page)).toEqual(refused('provider_unavailable'));
    expect(calls('/oauth/v2/token')).toBe(before + 1);
  });
});

describe('userinfo', () => {
  it('is what Zitadel says now', async () => {
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

  it('leads to the login page, which says why, when Zitadel has ended the session', async () => {
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

  it('says 401 to a program, with the reason and where to sign in', async () => {
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

describe('logging out', () => {
  it('ends the session here and at Zitadel', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.path.map(({ pathname }) => pathname)).toEqual([
      '/auth/logout',
      '/oidc/v1/end_session',
      '/auth/logout/callback',
      '/auth/logout/success',
    ]);
    expect(textOf(page)).toContain('You are logged out');
    const query = page.path[1]?.searchParams;
    expect(query?.get('client_id')).toBe(app.sandbox.clients.web.clientId);
    expect(query?.get('post_logout_redirect_uri')).toBe(`${app.origin}/auth/logout/callback`);
    expect(query?.get('id_token_hint')).toMatch(/^eyJ/);
    expect(query?.get('state')?.length).toBeGreaterThan(21);

    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    const again = await browser.submit(await browser.get('/auth/login'), 'main form');
    expect(again.url.origin).toBe(app.sandbox.issuer);
    expect(again.document.querySelector('button[name="loginName"]')).not.toBeNull();
  });

  it('revokes the refresh token at Zitadel', async () => {
    const browser = app.browser();
    const before = app.sandbox.requests.filter(({ path }) => path === '/oauth/v2/revoke').length;
    await browser.submit(await signIn(browser, 'bob@acme.example'), 'main form[action="/auth/logout"]');
    const revocations = app.sandbox.requests.filter(({ path }) => path === '/oauth/v2/revoke');
    expect(revocations).toHaveLength(before + 1);
    expect(revocations.at(-1)).toMatchObject({ status: 200, form: { token_type_hint: 'refresh_token' } });
  });

  it.each(['/auth/logout/callback?state=wrong', '/auth/logout/callback'])(
    'explains a wrong answer: %s',
    async (address) => {
      const browser = app.browser();
      const profile = await signIn(browser, 'alice@acme.example');
      const csrfToken =
        profile.document.querySelector('main input[name="csrfToken"]')?.getAttribute('value') ?? '';
      await browser.request('POST', new URL('/auth/logout', app.origin), new URLSearchParams({ csrfToken }));
      const page = await browser.get(address);
      expect(page.url.pathname).toBe('/auth/logout/error');
      expect(page.status).toBe(400);
      expect(textOf(page)).toContain('You are signed out here');
      expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    },
  );

  it('needs the token of its form, and a POST', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const forged = await browser.submit(profile, 'main form[action="/auth/logout"]', {
      fields: { csrfToken: '' },
    });
    expect(forged.status).toBe(403);
    expect((await browser.get('/auth/logout')).status).toBe(405);
    expect((await browser.get('/profile')).status).toBe(200);
  });

  it('does not lead to another account of the browser without a question', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    await signIn(browser, 'bob@acme.example', '/auth/login?prompt=login');
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    for (const from of ['/auth/login', '/profile']) {
      const asked = await browser.submit(await browser.get(from), 'main form');
      expect([asked.url.origin, asked.url.pathname]).toEqual([app.sandbox.issuer, '/ui/v2/login/accounts']);
    }
    const page = await signIn(browser, 'alice@acme.example');
    expect(page.document.querySelector('h1')?.text).toBe('Alice Archer');
    browser.forget(/session-token/);
    // Nobody has logged out since: the session at Zitadel is enough.
    expect((await browser.submit(await browser.get('/auth/login'), 'main form')).url.pathname).toBe(
      '/profile',
    );
  });

  it('in a second tab ends on a page with a way on', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/success']);
    expect(textOf(page)).toContain('already logged out here');
    expect(page.document.querySelector('main a[href="/auth/login"]')).not.toBeNull();
  });

  it('by a double click is one: both answers lead to the same address, and the browser comes back with the cookies of either', async () => {
    const browser = app.browser();
    const body = new URLSearchParams(csrfFrom(await signIn(browser, 'alice@acme.example')));
    const cookie = await browser.jar.getCookieString(app.origin);
    const send = () =>
      fetch(`${app.origin}/auth/logout`, { method: 'POST', redirect: 'manual', headers: { cookie }, body });
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const [address, ...others] = answers.map(({ headers }) => headers.get('location'));
    expect(new URL(address ?? '').searchParams.has('id_token_hint')).toBe(true);
    expect(others).toEqual([address, address]);
    const back = (await fetch(address ?? '', { redirect: 'manual' })).headers.get('location') ?? '';
    for (const { headers } of answers) {
      const own = headers.getSetCookie().find((line) => line.startsWith('logout-state-'));
      const callback = await fetch(back, {
        redirect: 'manual',
        headers: { cookie: own?.split(';', 1)[0] ?? '' },
      });
      expect(callback.headers.get('location')).toBe('/auth/logout/success');
    }
  });

  it('with the cookie of a session that has ended comes back from Zitadel', async () => {
    const browser = app.browser();
    const fields = csrfFrom(await signIn(browser, 'alice@acme.example'));
    const cookie = await browser.jar.getCookieString(app.origin);
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    const late = await fetch(`${app.origin}/auth/logout`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams(fields),
    });
    const answer = await fetch(late.headers.get('location') ?? '', { redirect: 'manual' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toMatch(`${app.origin}/auth/logout/callback?state=`);
  });

  it('with ten roles in the ID token ends the session at Zitadel, too', async () => {
    const roles = Array.from({ length: 10 }, (_, index) => `role-with-a-long-name-${index}`);
    const users = [{ loginName: 'dora@initech.example', roles }];
    const own = await startApp({ sandbox: { users, web: { idTokenRoleAssertion: true } } });
    try {
      const browser = own.browser();
      const profile = await signIn(browser, 'dora@initech.example');
      const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
      expect(page.url.href).toBe(`${own.origin}/auth/logout/success`);
      const ended = own.sandbox.requests.filter(({ path }) => path === '/oidc/v1/end_session');
      expect(ended).toEqual([expect.objectContaining({ method: 'POST', status: 302 })]);
      const again = await browser.submit(await browser.get('/auth/login'), 'main form');
      expect(again.url.origin).toBe(own.sandbox.issuer);
    } finally {
      await own.close();
    }
  });

  it('goes the same way through the sign-out of Auth.js', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const response = await browser.post('/auth/signout', csrfFrom(profile));
    expect(response.headers['location']).toContain(`${app.sandbox.issuer}/oidc/v1/end_session`);
    expect((await browser.get('/auth/signout')).status).toBe(405);
  });

  it('does not call somebody logged out who is signed in', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    expect((await browser.get('/auth/logout/success')).url.pathname).toBe('/');
  });
});

describe('whether Zitadel is there', () => {
  it('is asked before a browser is sent to it, unless it has answered two seconds ago', async () => {
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

describe('while Zitadel is down', () => {
  it('nobody is sent to it: signing in says so, logging out ends here, and both work when it is back', async () => {
    const own = await startApp();
    try {
      const browser = own.browser();
      const profile = await signIn(browser, 'alice@acme.example');
      const cookie = await browser.jar.getCookieString(own.origin);
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

describe('what is not there or not right', () => {
  it('is a page for a browser', async () => {
    const page = await app.browser().get('/no/such/page');
    expect(page.status).toBe(404);
    expect(textOf(page)).toContain('Page not found');
    expect(page.text).not.toMatch(/Cannot GET|node_modules|at .*\.js/);
  });

  it('is JSON for a program', async () => {
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
  ])('answers %s %s with a page and %i', async (method, address, status) => {
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
  ])('knows one spelling of an address: %s is none', async (target) => {
    expect(await rawRequest(app.origin, `${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('does not take the host of an absolute request target for its own', async () => {
    const answer = await rawRequest(app.origin, 'GET http://evil.example/auth/providers HTTP/1.1');
    expect(answer).toContain(`${app.origin}/auth/signin/zitadel`);
    expect(answer).not.toContain('evil');
  });

  it.each(['TRACE', 'DELETE'])('answers %s below /auth with 405', async (method) => {
    expect(await rawRequest(app.origin, `${method} /auth/signin/zitadel HTTP/1.1`)).toMatch(
      /^HTTP\/1\.1 405 [\s\S]*^Allow: GET, HEAD, POST\r$/m,
    );
  });

  it('answers HEAD as GET, without the body', async () => {
    const response = await app.browser().request('HEAD', new URL('/auth/providers', app.origin));
    expect([response.status, response.text]).toEqual([200, undefined]);
  });

  it('does not let HEAD use up the code of a callback', async () => {
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
  ])('heals from a broken cookie: %s=%s', async (name, value) => {
    const browser = app.browser();
    await browser.jar.setCookie(`${withPort(name, app.origin)}=${value}; Path=/`, app.origin);
    expect((await signIn(browser, 'alice@acme.example')).url.pathname).toBe('/profile');
  });

  it('keeps every part of a query with a second question mark', async () => {
    const page = await app.browser().get('/auth/login?callbackUrl=/profile?a=b?c');
    expect(page.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value')).toBe(
      '/profile?a=b?c',
    );
  });

  it('stays signed in on an error page', async () => {
    const browser = app.browser();
    await signIn(browser, 'bob@acme.example');
    const page = await browser.get('/no/such/page');
    expect(page.document.querySelector('header form[action="/auth/logout"]')).not.toBeNull();
  });

  it('takes a garbage session cookie for none and removes it', async () => {
    const response = await app.browser().request('GET', new URL('/profile', app.origin), undefined, {
      cookie: `${withPort('authjs.session-token', app.origin)}=garbage`,
    });
    expect(response.status).toBe(302);
    expect(String(response.headers['set-cookie'])).toMatch(/authjs\.session-token-\d+=; Max-Age=0/);
  });
});
