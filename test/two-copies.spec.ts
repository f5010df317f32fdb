import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { decode, encode } from '@auth/core/jwt';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser, csrfFrom } from './support/browser.js';
import { START_MS, startChromium } from './support/chromium.js';
import { formerSession, saltedSecret } from './support/former-cookies.js';
import { freePort } from './support/free-port.js';
import { choose, signIn } from './support/sign-in.js';
import { environment, launch } from './support/start-app.js';
import { withPort } from './support/with-port.js';

const alice = 'alice@acme.example';
const secret = 'a secret for the tests that is long enough';
const salt = 'a salt for the tests';

let sandbox: Sandbox;
/** the origins of three applications that differ only in their ports; the last one has the default port of http */
let origins: [string, string, string];
/** the address at which the last one listens */
let usual: string;
const apps: NestExpressApplication[] = [];

beforeAll(async () => {
  const [first = 0, second = 0, third = 0] = await Promise.all([freePort(), freePort(), freePort()]);
  origins = [`http://localhost:${first}`, `http://localhost:${second}`, 'http://localhost'];
  usual = `http://localhost:${third}`;
  sandbox = await startSandbox({
    web: {
      redirectUris: origins.map((origin) => `${origin}/auth/callback`),
      postLogoutRedirectUris: origins.map((origin) => `${origin}/auth/logout/callback`),
    },
  });
  for (const [index, port] of [first, second, third].entries())
    apps.push(await launch({ ...environment(origins[index] ?? '', sandbox), PORT: String(port) }, port));
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await sandbox?.close();
});

describe('a sign-in', () => {
  it('does not delete session cookies whose names begin with the name of its own', async () => {
    const [a] = origins;
    const browser = new Browser(a);
    const other = `${withPort('authjs.session-token', a)}0`;
    await browser.jar.setCookie(`${other}=of-another-copy; Path=/`, a);
    await signIn(browser, alice);
    expect(
      browser.answers.flatMap(({ response }) => response.headers['set-cookie'] ?? []).join(),
    ).not.toContain(`${other}=`);
    expect((await browser.cookies()).find(({ key }) => key === other)?.value).toBe('of-another-copy');
  });
});

describe('two applications on one host at different ports, in one browser,', () => {
  it('have independent sessions, forms and sign-outs', async () => {
    const [a, b] = origins;
    const browser = new Browser(a);
    const profileA = await signIn(browser, alice, `${a}/profile`);
    const profileB = await signIn(browser, 'bob@acme.example', `${b}/auth/login?prompt=login`);
    expect([profileA.text, profileB.text].map((text) => /Alice Archer|Bob Baker/.exec(text)?.[0])).toEqual([
      'Alice Archer',
      expect.stringContaining('Bob'),
    ]);
    expect((await browser.get(`${a}/profile`)).text).toContain('Alice Archer');

    for (const [origin, page] of [
      [a, profileA],
      [b, profileB],
    ] as const) {
      const body = new URLSearchParams({ ...csrfFrom(page), callbackUrl: '/profile' });
      const answer = await browser.request('POST', new URL('/auth/userinfo', origin), body);
      expect(answer.headers['location']).toBe('/profile');
    }

    await browser.submit(profileA, 'main form[action="/auth/logout"]');
    expect((await browser.get(`${a}/profile`)).url.pathname).toBe('/auth/login');
    expect((await browser.get(`${b}/profile`)).url.href).toBe(`${b}/profile`);
    const end = await browser.submit(profileB, 'main form[action="/auth/logout"]');
    expect(end.url.href).toBe(`${b}/auth/logout/success`);
  });

  it('have independent pending sign-ins and an independent prompt after a sign-out', async () => {
    const [a, b] = origins;
    const browser = new Browser(a);
    const begun = await browser.submit(await browser.get(`${b}/admin`), 'main form');
    for (let tab = 0; tab < 6; tab++) await browser.submit(await browser.get(`${a}/profile`), 'main form');
    expect((await choose(browser, begun, alice)).url.href).toBe(`${b}/admin`);
    const profile = await signIn(browser, alice, `${a}/profile`).catch(() => browser.get(`${a}/profile`));
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    const prompts = [];
    for (const origin of [a, b]) {
      const login = await browser.get(`${origin}/auth/login?login_hint=x`);
      const address = await browser.stopAt('/oauth/v2/authorize', () => browser.submit(login, 'main form'));
      prompts.push(address.searchParams.get('prompt'));
    }
    expect(prompts).toEqual(['select_account', null]);
  });

  it(
    'keep a user signed in at both until each is signed out',
    async () => {
      const [a, b] = origins;
      const chromium = await startChromium();
      const page = await chromium.newPage();
      await page.goto(`${a}/profile`);
      await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await page.getByRole('button', { name: /alice@acme\.example/ }).click();
      await page.waitForURL(`${a}/profile`);
      await page.goto(`${b}/profile`);
      await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await page.waitForURL(`${b}/profile`);
      await page.goto(`${a}/profile`);
      expect(page.url()).toBe(`${a}/profile`);
      await page.getByRole('main').getByRole('button', { name: 'Log out', exact: true }).click();
      await page.waitForURL(`${a}/auth/logout/success`);
      await page.goto(`${b}/profile`);
      expect(page.url()).toBe(`${b}/profile`);
      await page.getByRole('main').getByRole('button', { name: 'Log out', exact: true }).click();
      await page.waitForURL(`${b}/auth/logout/success`);
      await chromium.close();
    },
    START_MS,
  );
});

describe('the cookies of a version without the port in their names', () => {
  /** A browser with the cookies of that version. */
  async function olderBrowser(origin: string): Promise<Browser> {
    const browser = new Browser(origin);
    await signIn(browser, alice);
    for (const { key, value } of await browser.cookies()) {
      if (!key.endsWith(withPort('', origin))) continue;
      const former = key.slice(0, -withPort('', origin).length);
      const text = former.endsWith('session-token')
        ? await formerSession(value, key, former, secret, salt)
        : value;
      browser.forget(new RegExp(`^${key}$`));
      await browser.jar.setCookie(`${former}=${text}; Path=/`, origin);
    }
    return browser;
  }
  const namesIn = async (browser: Browser) => (await browser.cookies()).map(({ key }) => key).sort();

  it('keep users signed in and are renamed to names with the port', async () => {
    const [a] = origins;
    const browser = await olderBrowser(a);
    expect(await namesIn(browser)).toContain('authjs.session-token');
    const profile = await browser.get('/profile');
    expect(profile.url.href).toBe(`${a}/profile`);
    const names = await namesIn(browser);
    expect(names).toContain(withPort('authjs.session-token', a));
    expect(names).not.toContain('authjs.session-token');
    const end = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(end.url.pathname).toBe('/auth/logout/success');
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    expect((await namesIn(browser)).filter((name) => name.includes('session-token'))).toEqual([]);
  });

  it('are deleted by a sign-out and by another sign-in, even as the first request', async () => {
    const [a] = origins;
    const leaving = await olderBrowser(a);
    const token = (await leaving.cookies()).find(({ key }) => key === 'authjs.csrf-token')?.value ?? '';
    const cookie = await leaving.cookieHeader();
    const csrfToken = token.split(/\||%7C/)[0] ?? '';
    const answer = await leaving.post('/auth/logout', { csrfToken });
    expect(answer.status).toBe(303);
    expect((await namesIn(leaving)).filter((name) => name.includes('session-token'))).toEqual([]);
    expect((await fetch(`${a}/profile`, { headers: { cookie } })).status).toBe(401);

    const other = await olderBrowser(a);
    await signIn(other, 'bob@acme.example', '/auth/login?prompt=login');
    expect((await namesIn(other)).filter((name) => name.includes('session-token'))).toEqual([
      withPort('authjs.session-token', a),
    ]);
  });

  it('keep open forms and pending sign-ins and sign-outs valid', async () => {
    const [a] = origins;
    const browser = new Browser(a);
    const login = await browser.get('/admin');
    const renamed = async (pattern: RegExp) => {
      for (const { key, value } of await browser.cookies()) {
        if (!pattern.test(key)) continue;
        const former = key.replace(withPort('', a), '');
        const secrets = [saltedSecret(secret, salt)];
        const content = key.includes('login')
          ? await decode({ token: value, secret: secrets, salt: key })
          : null;
        const text = content ? await encode({ token: content, secret: secrets, salt: former }) : value;
        browser.forget(new RegExp(`^${key.replaceAll('.', '\\.')}$`));
        await browser.jar.setCookie(`${former}=${text}; Path=/`, a);
      }
    };
    await renamed(/csrf-token/);
    const accounts = await browser.submit(login, 'main form');
    expect(accounts.url.origin).toBe(sandbox.issuer);
    await renamed(/login/);
    expect((await namesIn(browser)).some((name) => name.startsWith('authjs.login.'))).toBe(true);
    expect((await choose(browser, accounts, alice)).url.href).toBe(`${a}/admin`);
    expect((await namesIn(browser)).some((name) => name.startsWith('authjs.login'))).toBe(false);

    const back = await browser.stopAt('/auth/logout/callback', async () =>
      browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]'),
    );
    await renamed(/logout-state/);
    expect((await browser.get(back)).url.pathname).toBe('/auth/logout/success');
    expect((await namesIn(browser)).some((name) => name.startsWith('logout-state'))).toBe(false);
  });

  it('lead to prompt=select_account after a sign-out, once', async () => {
    const [a] = origins;
    const browser = new Browser(a);
    await browser.jar.setCookie('logged-out=1; Path=/', a);
    const prompt = async () => {
      const login = await browser.get('/auth/login?login_hint=x');
      const address = await browser.stopAt('/oauth/v2/authorize', () => browser.submit(login, 'main form'));
      return address.searchParams.get('prompt');
    };
    expect(await prompt()).toBe('select_account');
    await signIn(browser, alice);
    expect(await prompt()).toBe(null);
  });

  it('are not changed when they belong to another application, with other secrets or at the default port', async () => {
    const [a, , c] = origins;
    const browser = new Browser(a);
    await browser.jar.setCookie('authjs.session-token=of-another-copy; Path=/', a);
    await browser.get('/profile');
    expect(await namesIn(browser)).toContain('authjs.session-token');

    // The application with the default port has no other cookie names; it listens at another address here.
    const at = (address: string | URL) =>
      new URL(String(address).replace(/^http:\/\/localhost(?=\/)/, usual));
    const third = new Browser(c);
    const login = await third.get(at(`${c}/auth/login`));
    const body = new URLSearchParams(csrfFrom(login));
    const begun = await third.request('POST', at(`${c}/auth/signin/zitadel`), body);
    const accounts = await third.get(begun.headers['location'] ?? '');
    const callback = await third.stopAt('/auth/callback', () => choose(third, accounts, alice));
    await third.request('GET', at(callback));
    expect((await third.request('GET', at(`${c}/profile`))).status).toBe(200);
    expect((await third.get(`${a}/profile`)).url.pathname).toBe('/auth/login');
    const alone = await signIn(third, alice, `${a}/profile`).catch(() => third.get(`${a}/profile`));
    await third.submit(alone, 'main form[action="/auth/logout"]');
    expect((await third.request('GET', at(`${c}/profile`))).status).toBe(200);
  });
});
