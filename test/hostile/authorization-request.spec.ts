import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser, type Page } from '../support/browser.js';
import { refusalOf, refused } from '../support/refusal.js';
import { textOf } from '../support/text-of.js';
import { clientId } from '../support/hostile-provider.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { withPort } from '../support/with-port.js';

const AUTHORIZE = '/oauth/v2/authorize';
const scope = [
  'openid',
  'profile',
  'email',
  'offline_access',
  'urn:zitadel:iam:user:resourceowner',
  'urn:zitadel:iam:org:projects:roles',
  'urn:zitadel:iam:user:metadata',
].join(' ');

let app: HostileApp;
beforeAll(async () => {
  app = await startHostileApp({ env: { ZITADEL_REGISTRATION: 'true' } });
});
afterAll(() => app.close());

/** The authorization request of a sign-in from `login`, with additional fields in the form. */
async function requestOf(
  login = '/auth/login',
  fields: Record<string, string> = {},
  browser = app.browser(),
) {
  const page = await browser.get(login);
  const url = await browser.stopAt(AUTHORIZE, () =>
    browser.submit(page, 'form[action="/auth/signin/zitadel"]', { fields }),
  );
  expect(url.origin + url.pathname).toBe(app.provider.issuer + AUTHORIZE);
  return url.searchParams;
}

/** Posts the sign-in form with other headers or another query. */
async function postSignIn(browser: Browser, query = '', headers: Record<string, string> = {}) {
  const fields = csrfFrom(await browser.get('/auth/login'));
  const target = new URL(`/auth/signin/zitadel${query}`, app.origin);
  return browser.request('POST', target, new URLSearchParams(fields), headers);
}

describe('the authorization request', () => {
  it('has response_type=code and response_mode=query', async () => {
    const query = await requestOf();
    expect(query.getAll('response_type')).toEqual(['code']);
    expect(query.get('response_mode') ?? 'query').toBe('query');
  });

  it('has a new S256 challenge, state and nonce in each of 1,000 sign-ins', async () => {
    const browser = app.browser();
    const body = new URLSearchParams(csrfFrom(await browser.get('/auth/login'))).toString();
    const headers = {
      cookie: await browser.cookieHeader(),
      'content-type': 'application/x-www-form-urlencoded',
    };
    const seen = { code_challenge: new Set(), state: new Set(), nonce: new Set() };
    for (let start = 0; start < 1_000; start++) {
      const response = await fetch(`${app.origin}/auth/signin/zitadel`, {
        method: 'POST',
        redirect: 'manual',
        headers,
        body,
      });
      const query = new URL(response.headers.get('location') ?? '').searchParams;
      for (const [name, values] of Object.entries(seen)) values.add(query.get(name));
      expect(query.get('code_challenge_method')).toBe('S256');
      // 128 bits are 22 characters of base64url.
      expect(query.get('state')?.length).toBeGreaterThanOrEqual(22);
      expect(query.get('nonce')?.length).toBeGreaterThanOrEqual(22);
      expect(query.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    }
    expect(Object.values(seen).map(({ size }) => size)).toEqual([1_000, 1_000, 1_000]);
  }, 60_000);

  it('has the SHA-256 of the code_verifier that the token request sends', async () => {
    await app.signIn(app.browser());
    const verifier = app.provider.grants('authorization_code').at(-1)?.form['code_verifier'] ?? '';
    expect(verifier).toMatch(/^[\w.~-]{43,128}$/);
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(app.provider.lastLogin.challenge);
  });

  it('has a state of 200 characters at most that does not reveal the return target', async () => {
    const state = (await requestOf('/auth/login?callbackUrl=/profile?secret=canary')).get('state') ?? '';
    expect(state.length).toBeLessThanOrEqual(200);
    expect(state + Buffer.from(state, 'base64url').toString()).not.toContain('canary');
  });

  it.each([
    { host: 'evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    { forwarded: 'host=evil.example;proto=https' },
    { 'x-forwarded-port': '444', 'x-forwarded-prefix': '/evil' },
    { 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
  ] as Record<string, string>[])('has the configured redirect URI with the headers %j', async (headers) => {
    const response = await postSignIn(app.browser(), '', headers);
    if (response.status >= 400) return expect(response.headers['location']).toBeUndefined();
    const location = new URL(response.headers['location'] ?? '');
    expect(location.origin).toBe(app.provider.issuer);
    expect(location.searchParams.get('redirect_uri')).toBe(`${app.origin}/auth/callback`);
    expect(String(response.headers['set-cookie'])).not.toContain('evil');
  });

  it('has the same redirect URI as the token request', async () => {
    await app.signIn(app.browser());
    expect(app.provider.grants('authorization_code').at(-1)?.form['redirect_uri']).toBe(
      `${app.origin}/auth/callback`,
    );
  });

  it('has exactly the configured scopes', async () => {
    expect((await requestOf()).get('scope')).toBe(scope);
  });

  it('is sent by a 302 or 303 that turns the POST into a GET', async () => {
    expect([302, 303]).toContain((await postSignIn(app.browser())).status);
  });

  it('has an S256 challenge even if the metadata do not list PKCE', async () => {
    const silent = await startHostileApp({
      provider: { metadata: () => ({ code_challenge_methods_supported: undefined }) },
    });
    try {
      const browser = silent.browser();
      expect((await silent.signIn(browser)).url.pathname).toBe('/profile');
      expect(silent.provider.lastLogin.challenge).toMatch(/^[\w-]{43}$/);
    } finally {
      await silent.close();
    }
  });
});

describe('the parameters of a sign-in', () => {
  const allowed = { login_hint: 'bob', prompt: 'login', ui_locales: 'de fr', max_age: '600' };

  it('are passed on from the form: login_hint, prompt, ui_locales, max_age and organization', async () => {
    const query = await requestOf('/auth/login', { ...allowed, organization: '300000000000000001' });
    expect(Object.fromEntries(query)).toMatchObject(allowed);
    expect(query.get('scope')).toBe(`${scope} urn:zitadel:iam:org:id:300000000000000001`);
  });

  it('are passed on from the query of the login page: login_hint, prompt, ui_locales, max_age and organization', async () => {
    const query = await requestOf(
      `/auth/login?${new URLSearchParams({ ...allowed, organization: '300000000000000001' }).toString()}`,
    );
    expect(Object.fromEntries(query)).toMatchObject(allowed);
    expect(query.get('scope')).toContain('urn:zitadel:iam:org:id:300000000000000001');
  });

  const forbidden = {
    redirect_uri: 'https://evil.example/',
    client_id: 'evil',
    scope: 'openid evil',
    response_type: 'token',
    response_mode: 'form_post',
    state: 'evil',
    nonce: 'evil',
    code_challenge: 'evil',
    code_challenge_method: 'plain',
    request: 'evil',
    request_uri: 'https://evil.example/',
    acr_values: 'evil',
    claims: '{"evil":true}',
    id_token_hint: 'evil',
    anything: 'evil',
  };

  it('are limited to an allow list, both in the query of the login page and in the form', async () => {
    for (const query of [
      await requestOf(`/auth/login?${new URLSearchParams(forbidden).toString()}`),
      await requestOf('/auth/login', forbidden),
    ]) {
      expect(query.toString()).not.toMatch(/evil|plain|form_post/);
      expect(query.get('redirect_uri')).toBe(`${app.origin}/auth/callback`);
      expect(query.get('client_id')).toBe(clientId);
      expect(query.get('scope')).toBe(scope);
    }
  });

  it('are not read from the query of the form action', async () => {
    const query = new URLSearchParams({ ...forbidden, ...allowed, login_hint: 'evil' }).toString();
    const response = await postSignIn(app.browser(), `?${query}`);
    const { searchParams } = new URL(response.headers['location'] ?? '');
    expect(searchParams.toString()).not.toMatch(/evil|plain|form_post/);
    expect(searchParams.get('scope')).toBe(scope);
  });

  it.each([
    ['max_age', 'evil'],
    ['max_age', '-1'],
    ['prompt', 'evil'],
    ['prompt', 'none evil'],
  ])('are dropped when they are invalid: %s=%s', async (name, value) => {
    const query = await requestOf('/auth/login', { [name]: value });
    expect(query.get('scope')).toBe(scope);
    expect(query.has('prompt')).toBe(false);
    expect(query.has('max_age')).toBe(false);
    expect(query.toString()).not.toContain('evil');
  });

  it.each([
    'organization=1+openid+evil',
    'organization=1+urn:zitadel:iam:org:project:id:zitadel:aud',
    'organization=%3Cscript%3Eevil%3C/script%3E',
    'organization=',
    'organization=acme.example&organization=evil.example',
  ])(
    'result in organization_unknown without an authorization request when the organization is malformed: ?%s',
    async (query) => {
      const browser = app.browser();
      const before = app.provider.requestsTo(AUTHORIZE).length;
      const page = await app.signIn(browser, undefined, `/auth/login?${query}`);
      expect(refusalOf(page)).toEqual(refused('organization_unknown'));
      expect(textOf(page)).toContain('organization is not known');
      expect(app.provider.requestsTo(AUTHORIZE)).toHaveLength(before);
    },
  );

  it('include prompt=create from the registration link of the login page', async () => {
    const browser = app.browser();
    const login = await browser.get('/auth/login?callbackUrl=/profile');
    const link = login.document.querySelector('main a[href*="prompt=create"]')?.getAttribute('href');
    const isForm = login.document.querySelector('main [name="prompt"][value="create"]') !== null;
    expect(isForm || link !== undefined).toBe(true);
    const query = await requestOf(link ?? '/auth/login?prompt=create', {}, browser);
    expect(query.get('prompt')).toBe('create');
  });
});

describe('after the end of a session,', () => {
  it.each([
    ['?reason=revoked', 'login'],
    ['?reason=revoked&prompt=select_account', 'select_account'],
    ['?reason=refresh_rejected', null],
    ['?reason=evil', null],
  ])('the sign-in from /auth/login%s has prompt=%s', async (query, prompt) => {
    expect((await requestOf(`/auth/login${query}`)).get('prompt')).toBe(prompt);
  });
});

describe('after a sign-out,', () => {
  const loggedOut = async () => {
    const browser = app.browser();
    await app.signIn(browser);
    await app.logOut(browser);
    return browser;
  };
  const promptOf = async (browser: Browser, flow: () => Promise<Page>) =>
    (await browser.stopAt(AUTHORIZE, flow)).searchParams.get('prompt');
  const button = (browser: Browser, address: string) => async () =>
    browser.submit(await browser.get(address), 'form[action="/auth/signin/zitadel"]');

  it.each(['/auth/login', '/profile', '/auth/login?reason=revoked', '/auth/login?prompt=evil'])(
    'the sign-in from %s has prompt=select_account',
    async (address) => {
      const browser = await loggedOut();
      expect(await promptOf(browser, button(browser, address))).toBe('select_account');
    },
  );

  it('a replayed callback and a third-party initiated login lead to prompt=select_account', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    await browser.get(callback);
    await app.logOut(browser);
    expect(await promptOf(browser, () => browser.get(callback))).toBe('select_account');
    const initiate = `/auth/initiate?${new URLSearchParams({ iss: app.provider.issuer }).toString()}`;
    expect(await promptOf(browser, () => browser.get(initiate))).toBe('select_account');
  });

  it('a prompt of the request takes precedence over prompt=select_account', async () => {
    const browser = await loggedOut();
    expect(await promptOf(browser, button(browser, '/auth/login?prompt=login'))).toBe('login');
    expect(await promptOf(browser, button(browser, '/auth/login?prompt=none'))).toBe('none');
  });

  it('every sign-in has prompt=select_account until one succeeds', async () => {
    const browser = await loggedOut();
    await app.signIn(browser, { callback: { code: undefined, error: 'access_denied' } });
    expect(await promptOf(browser, button(browser, '/auth/login'))).toBe('select_account');
    await app.signIn(browser);
    browser.forget(/session-token/);
    expect(await promptOf(browser, button(browser, '/auth/login'))).toBeNull();
  });

  it('a sign-out everywhere and a sign-out without a session lead to prompt=select_account, too', async () => {
    const browser = app.browser();
    const profile = await app.signIn(browser);
    await browser.submit(profile, 'form[action="/auth/logout/everywhere"]');
    expect(await promptOf(browser, button(browser, '/auth/login'))).toBe('select_account');
    browser.forget(/logged-out/);
    await browser.post('/auth/logout', csrfFrom(profile));
    expect(await promptOf(browser, button(browser, '/auth/login'))).toBe('select_account');
  });

  it('the browser has a cookie for a year that leads to prompt=select_account', async () => {
    const browser = await loggedOut();
    const cookie = (await browser.cookies()).find(({ key }) => key === withPort('logged-out', app.origin));
    expect(cookie).toMatchObject({ value: 'yes', httpOnly: true, sameSite: 'lax', path: '/' });
    expect(cookie?.TTL()).toBeGreaterThan(364 * 24 * 60 * 60_000);
  });
});

describe('a sign-in', () => {
  it('is not started by opening the login page', async () => {
    const browser = app.browser();
    const before = app.provider.logins.length;
    const page = await browser.get('/auth/login?login_hint=alice');
    expect(page.path).toHaveLength(1);
    expect(page.status).toBe(200);
    expect(app.provider.logins).toHaveLength(before);
    expect(await app.session(browser)).toBeNull();
    expect((await browser.cookies()).some(({ key }) => /session-token|login\./.test(key))).toBe(false);
  });

  it('is not started by a GET, nor by a POST without the CSRF token (403)', async () => {
    const browser = app.browser();
    await browser.get('/auth/login');
    const fetched = await browser.request('GET', new URL('/auth/signin/zitadel', app.origin));
    expect(fetched.headers['location'] ?? '').not.toContain(AUTHORIZE);
    for (const csrfToken of ['', 'wrong']) {
      const response = await browser.post('/auth/signin/zitadel', { csrfToken });
      expect(response.status).toBe(403);
      expect(response.headers['location']).toBeUndefined();
    }
  });
});
