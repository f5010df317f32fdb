import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { Cookie } from 'tough-cookie';
import { csrfFrom } from '../support/browser.js';
import { loggedIn } from '../support/logged-in.js';
import { moveTime } from '../support/move-time.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { withPort } from '../support/with-port.js';

let app: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());

const more: HostileApp[] = [];
afterEach(async () => {
  await Promise.all(more.splice(0).map((one) => one.close()));
});
async function start(env: Record<string, string>) {
  const started = await startHostileApp({ env });
  more.push(started);
  return started;
}

const ask = (path: string, headers: Record<string, string>) =>
  fetch(app.origin + path, { redirect: 'manual', headers });

describe('a session', () => {
  it('ends for every copy of its cookie after SESSION_DURATION without a request', async () => {
    const brief = await start({ SESSION_DURATION: '1' });
    const browser = await loggedIn(brief);
    const cookie = await browser.jar.getCookieString(brief.origin);
    moveTime(1_300);
    const replay = await fetch(`${brief.origin}/profile`, {
      headers: { cookie, accept: 'application/json' },
    });
    expect(replay.status).toBe(401);
  });

  it('ends after SESSION_MAX_DURATION, however active it is', async () => {
    const brief = await start({ SESSION_DURATION: '10', SESSION_MAX_DURATION: '2' });
    const browser = await loggedIn(brief);
    for (let visit = 0; visit < 12; visit++) {
      await browser.get('/profile');
      moveTime(200);
    }
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });
});

describe('without a session,', () => {
  it.each([
    [{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' }, 302],
    [{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: '*/*' }, 302],
    [{ 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' }, 401],
    [{ 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'application/json' }, 401],
    [{ 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty', accept: '*/*' }, 401],
    [{ accept: 'text/html,application/xhtml+xml' }, 302],
    [{ accept: 'application/json' }, 401],
    [{ accept: '*/*' }, 401],
  ] as [Record<string, string>, number][])(
    'a request with the headers %j gets %i',
    async (headers, status) => {
      // fetch would set Sec-Fetch-Mode itself.
      const response = await supertest(app.origin).get('/profile?tab=1&x=%26').redirects(0).set(headers);
      expect(response.status).toBe(status);
      if (status === 302) {
        const location = new URL(response.headers['location'] ?? '', app.origin);
        expect(location.pathname).toBe('/auth/login');
        expect(location.searchParams.get('callbackUrl')).toBe('/profile?tab=1&x=%26');
      } else {
        expect(response.headers['content-type']).toContain('application/json');
        expect(response.body).toMatchObject({ statusCode: 401, code: 'AUTH_SESSION_REQUIRED' });
      }
    },
  );
});

describe('a page that requires a session', () => {
  it.each(['/profile', '/admin', '/auth/userinfo'])(
    'is sent with no-store and Vary: Cookie: %s',
    async (path) => {
      const browser = app.browser();
      await app.signIn(browser);
      const page = await browser.get(path);
      expect(page.status).toBe(200);
      expect(page.headers['cache-control']).toContain('no-store');
      expect(page.headers['vary'] ?? '').toMatch(/\bcookie\b/i);
    },
  );

  it('is replaced by a response with no-store when there is no session', async () => {
    for (const accept of ['text/html', 'application/json']) {
      const response = await supertest(app.origin).get('/profile').redirects(0).set({ accept });
      expect(response.headers['cache-control']).toContain('no-store');
    }
  });
});

describe('the cookies', () => {
  const https = {
    ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
    ZITADEL_POST_LOGOUT_URL: 'https://app.example.com/auth/logout/callback',
  };

  it('are HttpOnly, SameSite=Lax and host-only', async () => {
    const browser = app.browser();
    await app.callbackOf(browser);
    await app.signIn(browser);
    const cookies = await browser.cookies();
    expect(cookies.map(({ key }) => key)).toContain(withPort('authjs.session-token', app.origin));
    for (const cookie of cookies)
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/', hostOnly: true });
  });

  it('are Secure and have the prefix __Host- on https', async () => {
    const secure = await start(https);
    const login = await secure.browser().get('/auth/login');
    const lines = [login.headers['set-cookie'] ?? []].flat();
    const cookie = lines.map((line) => line.split(';')[0]).join('; ');
    const response = await fetch(`${secure.origin}/auth/signin/zitadel`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams(csrfFrom(login)),
    });
    const all = [...lines, ...response.headers.getSetCookie()];
    expect(all.some((line) => line.startsWith('__Host-authjs.login.'))).toBe(true);
    for (const line of all) {
      expect(line).toMatch(/^__Host-/);
      expect(line).toMatch(/; Secure/i);
      expect(line).toMatch(/; HttpOnly/i);
      expect(line).toMatch(/; Path=\/(;|$)/i);
      expect(line).toMatch(/; SameSite=(Lax|Strict)/i);
      expect(line).not.toMatch(/; Domain=/i);
    }
  });

  it('have Max-Age, so that a browser whose clock is two hours ahead keeps them', async () => {
    const browser = app.browser();
    for (let round = 0; round < 2; round++) {
      await app.signIn(browser);
      await app.logOut(browser);
    }
    const lines = browser.answers.flatMap(({ response }) =>
      [response.headers['set-cookie'] ?? []].flat().map(String),
    );
    const dated = lines.filter((line) => /; (Expires|Max-Age)=/i.test(line));
    const nameOf = (line: string) => /^(authjs\.)?[a-z-]+(?=-\d)/.exec(line)?.[0];
    expect(new Set(dated.map(nameOf))).toEqual(
      new Set(['authjs.login', 'authjs.session-token', 'logged-out', 'logout-state']),
    );
    const ahead = Date.now() + 2 * 60 * 60_000;
    for (const line of dated) {
      expect(line).toMatch(/; Max-Age=\d+/i);
      const isDeleted = /^[^=]+=;/.test(line);
      expect([line, Number(Cookie.parse(line)?.TTL(ahead)) > 0]).toEqual([line, !isDeleted]);
    }
  });

  it('stay below 4 KB each and 8 KB together with 200 roles and five pending sign-ins', async () => {
    const browser = app.browser();
    const roles = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`role-${index}`, { '300000000000000001': 'acme.example' }]),
    );
    for (let tab = 0; tab < 6; tab++) await app.callbackOf(browser);
    const page = await app.signIn(browser, { userinfo: { 'urn:zitadel:iam:org:project:roles': roles } });
    expect(page.text).toContain('role-199');
    expect(
      (await browser.cookies()).filter(({ key }) => key.includes('authjs.login-')).length,
    ).toBeGreaterThan(2);
    for (const cookie of await browser.cookies()) expect(cookie.toString().length).toBeLessThanOrEqual(4_096);
    expect((await browser.cookieHeader()).length).toBeLessThan(8_000);
  });

  it('include no chunk of an older session cookie after a sign-in', async () => {
    const browser = app.browser();
    for (const index of [0, 1, 2])
      await browser.jar.setCookie(
        `${withPort('authjs.session-token', app.origin)}.${index}=old; Path=/`,
        app.origin,
      );
    await app.signIn(browser);
    const names = (await browser.cookies())
      .map(({ key }) => key)
      .filter((key) => key.includes('session-token'));
    expect(names).toEqual([withPort('authjs.session-token', app.origin)]);
    expect(await app.session(browser)).not.toBeNull();
  });

  it('open only unchanged: any changed character is being signed out, and no failure', async () => {
    const browser = await loggedIn(app);
    const { key = '', value = '' } = (await browser.sessionCookie()) ?? {};
    const step = Math.ceil(value.length / 60);
    for (let at = 0; at < value.length; at += step) {
      const changed = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1);
      const response = await ask('/profile', { cookie: `${key}=${changed}`, accept: 'application/json' });
      expect(response.status).toBe(401);
      expect(response.headers.getSetCookie().join()).toContain(`${key}=;`);
    }
  });

  it('are decrypted only under their own name', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser);
    const login = (await browser.cookies()).find(({ key }) => key.includes('authjs.login-'));
    const asSession = await ask('/profile', {
      cookie: `${withPort('authjs.session-token', app.origin)}=${login?.value}`,
      accept: 'application/json',
    });
    expect(asSession.status).toBe(401);

    await app.signIn(browser);
    const session = (await browser.sessionCookie())?.value ?? '';
    const before = app.provider.requestsTo('/oauth/v2/token').length;
    const asLogin = await ask(callback.pathname + callback.search, {
      cookie: `${login?.key}=${session}`,
      accept: 'application/json',
    });
    expect(asLogin.status).toBeLessThan(500);
    expect(app.provider.requestsTo('/oauth/v2/token')).toHaveLength(before);
  });

  it('open only under their own name, even where that is a session’s, too', async () => {
    const browser = await loggedIn(app);
    const value = (await browser.sessionCookie())?.value;
    // With the same secrets; its session cookie is named for https.
    const secure = await start(https);
    const status = async (origin: string, name: string) => {
      const headers = { cookie: `${name}=${value}`, accept: 'application/json' };
      return (await fetch(`${origin}/profile`, { headers })).status;
    };
    expect(await status(app.origin, withPort('authjs.session-token', app.origin))).toBe(200);
    expect(await status(secure.origin, '__Host-authjs.session-token')).toBe(401);
  });

  it.each(['garbage', 'eyJhbGciOiJkaXIifQ..a.b.c', 'a.b.c.d.e', '%00', 'x'.repeat(3_900)])(
    'with invalid content get 401 and are deleted: %.20s',
    async (value) => {
      const response = await ask('/profile', {
        cookie: `${withPort('authjs.session-token', app.origin)}=${value}`,
        accept: 'application/json',
      });
      expect(response.status).toBe(401);
      expect(response.headers.getSetCookie().join()).toContain(
        `${withPort('authjs.session-token', app.origin)}=;`,
      );
    },
  );
});
