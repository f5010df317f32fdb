import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser, type Page } from '../support/browser.js';
import { people } from '../support/hostile/people.js';
import { loggedIn } from '../support/logged-in.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { withPort } from '../support/with-port.js';

let app: HostileApp;
let browser: Browser;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());
beforeEach(() => {
  browser = app.browser();
});

const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  browser.request('POST', new URL(path, app.origin), new URLSearchParams(fields), headers);

const program = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };

const changingRoutes = ['/auth/signin/zitadel', '/auth/logout', '/auth/signout', '/auth/logout/everywhere'];

describe('a form post', () => {
  it.each(
    changingRoutes.flatMap((route) => [
      [route, 'without a CSRF token', {}, false],
      [route, 'with a wrong CSRF token', {}, true],
    ]) as [string, string, Record<string, string>, boolean][],
  )('%s %s: refused', async (route, _name, headers, hasToken) => {
    await loggedIn(app, browser);
    const response = await post(route, hasToken ? { csrfToken: 'f'.repeat(64) } : {}, headers);
    expect(response.status).toBe(403);
    expect(response.headers['location']).toBeUndefined();
    expect(await app.session(browser)).not.toBeNull();
  });

  it.each(
    changingRoutes.flatMap((route) =>
      [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
      ].map((headers) => [route, headers]),
    ) as [string, Record<string, string>][],
  )('%s with the right token from %j: refused', async (route, headers) => {
    await loggedIn(app, browser);
    const response = await post(route, csrfFrom(await browser.get('/profile')), headers);
    expect(response.status).toBe(403);
    expect(response.headers['location']).toBeUndefined();
    expect(await app.session(browser)).not.toBeNull();
  });

  it('with the token of another browser: refused', async () => {
    await loggedIn(app, browser);
    const fields = csrfFrom(await (await loggedIn(app)).get('/profile'));
    for (const route of changingRoutes) expect((await post(route, fields)).status).toBe(403);
    expect(await app.session(browser)).not.toBeNull();
  });

  it.each([{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, {}] as Record<
    string,
    string
  >[])('with a valid CSRF token from this origin signs the user out: %j', async (headers) => {
    const response = await post('/auth/logout', csrfFrom(await app.signIn(browser)), {
      ...headers,
      ...(headers['sec-fetch-site'] === 'same-origin' ? { origin: app.origin } : {}),
    });
    expect(response.status).toBe(303);
    expect(await app.session(browser)).toBeNull();
  });

  it.each(['/auth/logout', '/auth/signout', '/auth/logout/everywhere', '/auth/logout/callback'])(
    'is required for a sign-out: a GET of %s does not sign the user out',
    async (path) => {
      await loggedIn(app, browser);
      const image = {
        'sec-fetch-mode': 'no-cors',
        'sec-fetch-dest': 'image',
        'sec-fetch-site': 'cross-site',
      };
      const { csrfToken = '' } = csrfFrom(await browser.get('/profile'));
      for (const method of ['GET', 'HEAD']) {
        await browser.request(method, new URL(path, app.origin), undefined, image);
        await browser.request(method, new URL(`${path}?csrfToken=${csrfToken}`, app.origin));
      }
      expect(await app.session(browser)).not.toBeNull();
      expect((await browser.get('/profile')).url.pathname).toBe('/profile');
    },
  );

  it('cannot sign a user in as another one: a callback of another browser is refused', async () => {
    const attackers = app.browser();
    const callback = await app.callbackOf(attackers, { person: people.mallory });
    await browser.get('/auth/login');
    expect(refusalOf(await browser.get(callback))).toEqual(refused('other_browser'));
    expect(await app.session(browser)).toBeNull();

    await app.signIn(browser);
    const before = app.provider.requestsTo('/oauth/v2/token').length;
    await browser.get(callback);
    expect(app.provider.requestsTo('/oauth/v2/token')).toHaveLength(before);
    expect((await app.session(browser))?.user['id']).toBe(people.alice.sub);
  });
});

describe('the response to a refused form post', () => {
  it.each(['/auth/signin/zitadel', '/auth/logout'])(
    'says that the browser sends no cookies: %s',
    async (route) => {
      const page = await browser.get('/auth/login');
      browser.forget(/./);
      const answer = await post(route, csrfFrom(page), { accept: 'text/html' });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('Allow cookies for this site');
      expect(
        (await post(route, csrfFrom(page), { accept: 'application/json', ...program })).body,
      ).toMatchObject({
        code: 'AUTH_CSRF_COOKIE_MISSING',
      });
    },
  );

  it('is not shown for a GET of the form action, which leads to the login page', async () => {
    const page = await browser.get('/auth/signin/zitadel');
    expect([page.status, page.url.pathname]).toEqual([200, '/auth/login']);
  });
});

describe('the return target of a sign-in', () => {
  const foreign = [
    'https://evil.example',
    'https://evil.example/profile',
    'http://evil.example',
    'HTTPS://EVIL.EXAMPLE/',
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/\\/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/x/..//evil.example',
    '%2f%2fevil.example',
    '%2F%2Fevil.example/',
    '\t//evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '/\u0000/evil.example',
    ' //evil.example',
    ' https://evil.example',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:alert(1)',
    'file:///etc/passwd',
    'blob:https://evil.example/1',
    'about:blank',
    'mailto:mallory@evil.example',
    'evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'http://localhost@evil.example/',
    'http://user:password@LOCALHOST/',
    'http://localhost:1/profile',
    'https://LOCALHOST/',
    'ORIGIN.evil.example/',
    'ORIGIN@evil.example/',
    '',
  ];

  it.each(foreign.map((target) => [JSON.stringify(target), target]))('is never %s', async (_name, target) => {
    const { host } = new URL(app.origin);
    const wanted = target.replace('ORIGIN', app.origin).replace('LOCALHOST', host);
    const page = await app.signIn(browser, {}, `/auth/login?callbackUrl=${encodeURIComponent(wanted)}`);
    expect(page.url.href).toBe(`${app.origin}/profile`);
    const forged = app.browser();
    const end = await forged.submit(await forged.get('/auth/login'), 'form[action="/auth/signin/zitadel"]', {
      fields: { callbackUrl: wanted },
    });
    expect(end.url.href).toBe(`${app.origin}/profile`);
  });

  it.each([
    '/?a=1&b=%26',
    '/profile?x=a%20b&y=%2F%2F',
    '/profile?next=https://evil.example/',
    '/admin',
    '/?a=b?c',
  ])('is the requested page with its query: %s', async (target) => {
    const page = await app.signIn(browser, {}, `/auth/login?callbackUrl=${encodeURIComponent(target)}`);
    expect(page.url.href).toBe(app.origin + target);
  });

  it('keeps its fragment', async () => {
    const login = '/auth/login?callbackUrl=%2Fprofile%3Fa%3D1%23roles';
    expect((await app.signIn(browser, {}, login)).url.href).toBe(`${app.origin}/profile?a=1#roles`);
  });

  it('is not read from a planted callback-url cookie', async () => {
    const name = withPort('authjs.callback-url', app.origin);
    await browser.jar.setCookie(`${name}=https%3A%2F%2Fevil.example%2F; Path=/`, app.origin);
    expect((await app.signIn(browser)).url.href).toBe(`${app.origin}/profile`);
  });
});

describe('every page', () => {
  async function pages(): Promise<Page[]> {
    const strangers = app.browser();
    await app.signIn(browser);
    const known = ['/', '/profile', '/admin', '/no/such/page', '/auth/error?reason=access_denied'];
    const open = [
      '/',
      '/auth/login',
      '/auth/error',
      '/auth/logout/success',
      '/auth/logout/error',
      '/no/such/page',
    ];
    const bob = app.browser();
    await app.signIn(bob, { person: people.bob });
    return [
      ...(await Promise.all(known.map((path) => browser.get(path)))),
      ...(await Promise.all(open.map((path) => strangers.get(path)))),
      await bob.get('/admin'),
    ];
  }

  it('has a content security policy without inline script, frames and another base', async () => {
    for (const { headers, text, document, url } of await pages()) {
      const policy = new Map(
        String(headers['content-security-policy'])
          .split(';')
          .map((directive) => directive.trim().split(/\s+/))
          .map(([name = '', ...sources]) => [name, sources]),
      );
      expect([url.pathname, policy.get('object-src') ?? policy.get('default-src')]).toEqual([
        url.pathname,
        ["'none'"],
      ]);
      expect(policy.get('base-uri')).toEqual(["'none'"]);
      expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
      const sources = [...policy.values()].flat();
      expect(sources.filter((source) => /unsafe|^\*$|^https?:$/.test(source))).toEqual([]);
      const nonce = sources.find((source) => source.startsWith("'nonce-"))?.slice(7, -1);
      for (const element of document.querySelectorAll('script, style')) {
        const isInline = !element.getAttribute('src');
        expect(isInline ? element.getAttribute('nonce') : 'by address').toBe(isInline ? nonce : 'by address');
      }
      expect(text).not.toMatch(/<[^>]+\s(on\w+|style)=/i);
    }
  });

  it('has the security headers', async () => {
    for (const { headers } of await pages()) {
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': expect.stringMatching(/^(no-referrer|same-origin|strict-origin)/),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['strict-transport-security']).toBeUndefined();
    }
  });

  it('has Strict-Transport-Security if and only if the origin is https', async () => {
    const secure = await startHostileApp({
      env: {
        ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
        ZITADEL_POST_LOGOUT_URL: 'https://app.example.com/auth/logout/callback',
      },
    });
    try {
      for (const path of ['/', '/auth/login', '/auth/session', '/static/icon.svg']) {
        const { headers } = await fetch(secure.origin + path);
        expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
      }
    } finally {
      await secure.close();
    }
  });
});

describe('hostile claims', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    '</title><script>alert(1)</script>',
    '</textarea><svg/onload=alert(1)>',
    '<!--<script>alert(1)</script>-->',
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    '{{constructor.constructor("alert(1)")()}}',
    '<iframe srcdoc="<script>alert(1)</script>">',
    '\u2028<script>alert(1)</script>',
  ];

  it.each(payloads)('are shown as text: %s', async (payload) => {
    const organization = 'urn:zitadel:iam:user:resourceowner';
    await app.signIn(browser, {
      userinfo: {
        name: payload,
        given_name: payload,
        family_name: payload,
        nickname: payload,
        preferred_username: payload,
        email: payload,
        picture: payload,
        locale: payload,
        'urn:zitadel:iam:org:project:roles': { [payload]: { [payload]: payload }, admin: { 1: payload } },
        [`${organization}:id`]: payload,
        [`${organization}:name`]: payload,
        [`${organization}:primary_domain`]: payload,
        'urn:zitadel:iam:user:metadata': { [payload]: Buffer.from(payload).toString('base64url') },
      },
    });
    for (const path of ['/profile', '/admin', '/', '/no/such/page']) {
      const page = await browser.get(path);
      expect(page.url.pathname).toBe(path);
      if (/[<>"']/.test(payload)) expect(page.text).not.toContain(payload);
      expect(page.document.querySelectorAll('script:not([src]), iframe, svg[onload], [onerror]')).toEqual([]);
      expect(page.text).not.toMatch(/<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*\son\w+\s*=/i);
      for (const element of page.document.querySelectorAll('[href], [action], :not(img)[src]')) {
        const address = ['href', 'action', 'src'].map((name) => element.getAttribute(name) ?? '').join('');
        expect(address).not.toMatch(/^\s*(javascript|vbscript|data:text)/i);
      }
    }
    for (const path of ['/auth/session', '/auth/userinfo']) {
      const { headers } = await browser.get(path);
      expect(headers['content-type']).toContain('application/json');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('are shown as text when the sub is one of them', async () => {
    const person = { ...people.bob, sub: '<script>alert(1)</script>' };
    const page = await app.signIn(browser, { person });
    expect(page.url.pathname).toBe('/profile');
    expect(page.text).not.toContain('<script>alert(1)');
  });
});
