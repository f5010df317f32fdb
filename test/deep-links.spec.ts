import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser, type Page } from './support/browser.js';
import { START_MS, startChromium } from './support/chromium.js';
import { freePort } from './support/free-port.js';
import { moveTime } from './support/move-time.js';
import { startNginx } from './support/nginx.js';
import { choose } from './support/sign-in.js';
import { environment, launch, redirectUrisOf } from './support/start-app.js';
import { textOf } from './support/text-of.js';
import { consoleErrorsOf } from './support/observed-page.js';

const alice = 'alice@acme.example';
const manyRoles = 'rosa@acme.example';

/** The additional bytes on https: HSTS, upgrade-insecure-requests, Secure, two cookie prefixes and a login origin. */
const HTTPS_BYTES = 250;

let origin: string;
let own: string;
let sandbox: Sandbox;
let app: NestExpressApplication;
let nginx: Awaited<ReturnType<typeof startNginx>>;

beforeAll(async () => {
  const [port, ownPort] = await Promise.all([freePort(), freePort()]);
  origin = `http://localhost:${port}`;
  own = `http://localhost:${ownPort}`;
  const roles = Array.from({ length: 30 }, (_, index) => `role-${index}-${randomBytes(6).toString('hex')}`);
  sandbox = await startSandbox({
    users: [
      { loginName: alice, roles: ['admin'] },
      { loginName: manyRoles, roles },
    ],
    web: redirectUrisOf(origin),
  });
  app = await launch(environment(origin, sandbox), ownPort);
  nginx = await startNginx(port, [own]);
}, 60_000);
afterAll(async () => {
  await nginx?.stop();
  await app?.close();
  await sandbox?.close();
});

/** An address of this length that cannot be compressed below its entropy. */
const addressOf = (length: number) => {
  const start = '/profile?filter=';
  return (
    start +
    randomBytes(length)
      .toString('base64url')
      .slice(0, length - start.length)
  );
};
const pathOf = ({ url }: Page) => url.pathname + url.search + url.hash;
const lengthOf = ({ headers }: Browser['answers'][number]['response']) =>
  Object.entries(headers as Record<string, string | string[]>)
    .flatMap(([name, value]) => [value].flat().map((text) => `${name}: ${text}\r\n`.length))
    .reduce((sum, length) => sum + length, 'HTTP/1.1 303 See Other\r\n\r\n'.length);

describe('behind nginx with its default limits, a return target', () => {
  it.each([100, 200, 201, 1_500, 2_500, 3_100])(
    'of %i characters is restored after the sign-in',
    async (length) => {
      for (const person of [alice, manyRoles]) {
        const browser = new Browser(origin);
        const address = addressOf(length);
        const login = await browser.get(address);
        expect(login.url.pathname).toBe('/auth/login');
        expect(textOf(login)).toContain('You will come back to it');
        const accounts = await browser.submit(login, 'main form');
        expect(pathOf(await choose(browser, accounts, person))).toBe(address);
        const lengths = browser.answers
          .filter(({ url }) => url.origin === origin)
          .map(({ response }) => lengthOf(response));
        if (person === alice) expect(Math.max(...lengths)).toBeLessThan(4_096 - HTTPS_BYTES);
        // The cookie of the return target is deleted.
        expect((await browser.cookies()).filter(({ key }) => /return|login/.test(key))).toEqual([]);
      }
    },
  );

  it.each([3_101, 4_500, 6_000])(
    'of %i characters is dropped: the login page says so, and the sign-in ends on /profile',
    async (length) => {
      const browser = new Browser(origin);
      const login = await browser.get(addressOf(length));
      expect([login.status, login.url.href]).toEqual([200, `${origin}/auth/login?callbackUrl=`]);
      expect(textOf(login)).not.toContain('You will come back');
      expect(textOf(login)).toContain('The login ends on /profile.');
      const accounts = await browser.submit(login, 'main form');
      expect(pathOf(await choose(browser, accounts, alice))).toBe('/profile');
    },
  );

  it('in the query of the login page is restored up to 3,100 characters and dropped beyond', async () => {
    for (const [length, says] of [
      [3_100, 'You will come back to it'],
      [3_101, 'The login ends on /profile.'],
    ] as const) {
      const browser = new Browser(origin);
      const address = addressOf(length);
      const login = await browser.get(`/auth/login?${new URLSearchParams({ callbackUrl: address })}`);
      expect(textOf(login)).toContain(says);
      const end = await choose(browser, await browser.submit(login, 'main form'), alice);
      expect(pathOf(end)).toBe(length <= 3_100 ? address : '/profile');
    }
  });

  it.each([1_500, 3_100])(
    'of %i characters is restored by the login page for a signed-in user whose session cookie is due to slide',
    async (length) => {
      const browser = new Browser(origin);
      await choose(browser, await browser.submit(await browser.get('/auth/login'), 'main form'), manyRoles);
      for (const wishes of [{}, { prompt: 'login' }]) {
        moveTime(61_000);
        const before = browser.answers.length;
        const address = addressOf(length);
        const page = await browser.get(
          `/auth/login?${new URLSearchParams({ callbackUrl: address, ...wishes })}`,
        );
        expect(pathOf(page)).toMatch(
          'prompt' in wishes ? /^\/auth\/login\?callbackUrl=%2Fauth%2Freturn/ : address,
        );
        const [redirect, end] = browser.answers.slice(before).map(({ response }) => response);
        expect(redirect?.status).toBe(302);
        expect(String(redirect?.headers['set-cookie'])).not.toContain('session-token');
        // The session cookie slides with the next response.
        expect([end?.status, String(end?.headers['set-cookie'])]).toEqual([
          200,
          expect.stringContaining('authjs.session-token'),
        ]);
      }
    },
  );

  it.each([1_500, 3_100])('of %i characters is restored after a reload of the roles', async (length) => {
    const browser = new Browser(origin);
    await choose(browser, await browser.submit(await browser.get('/auth/login'), 'main form'), manyRoles);
    const address = `/admin${addressOf(length + 2).slice('/profile'.length)}`;
    const refused = await browser.get(address);
    expect(refused.status).toBe(403);
    moveTime(61_000);
    const again = await browser.submit(refused, 'main form[action="/auth/userinfo"]');
    expect([again.status, pathOf(again).length, pathOf(again)]).toEqual([403, length, address]);
    expect((await browser.cookies()).filter(({ key }) => key.includes('return'))).toEqual([]);
  });

  it('is replaced by /profile when the browser does not store its cookie', async () => {
    const browser = new Browser(origin);
    await choose(browser, await browser.submit(await browser.get('/auth/login'), 'main form'), manyRoles);
    const refused = await browser.get('/admin');
    const csrfToken = refused.document.querySelector('input[name="csrfToken"]')?.getAttribute('value') ?? '';
    const body = new URLSearchParams({ csrfToken, callbackUrl: '/auth/return?to=unknown' });
    const first = await browser.request('POST', new URL('/auth/userinfo', origin), body);
    expect([first.status, first.headers['location']]).toEqual([307, '/auth/userinfo?stored']);
    const second = await browser.request('POST', new URL('/auth/userinfo?stored', origin), body);
    expect([second.status, second.headers['location']]).toEqual([303, '/profile']);
  });

  it('is restored in each of three tabs, and again when two tabs have the same one', async () => {
    const browser = new Browser(origin);
    const addresses = [addressOf(300), addressOf(300), addressOf(300)];
    const logins: Page[] = [];
    for (const address of [...addresses, addresses[2] ?? '']) logins.push(await browser.get(address));
    expect((await browser.cookies()).filter(({ key }) => key.includes('return'))).toHaveLength(3);
    for (const login of logins)
      expect(textOf(await browser.get(login.url))).toContain('You will come back to it');
    const [first, second, third] = logins as [Page, Page, Page, Page];
    const accounts = await browser.submit(first, 'main form');
    expect(pathOf(await choose(browser, accounts, alice))).toBe(addresses[0]);
    for (const [index, login] of [second, third].entries())
      expect(pathOf(await browser.get(login.url))).toBe(addresses[index + 1]);
  });

  it('that does not fit into the cookie beside an older one replaces it, and the login page of the older one says so', async () => {
    const browser = new Browser(origin);
    const [first, second] = [addressOf(2_000), addressOf(2_000)];
    const one = await browser.get(first);
    const two = await browser.get(second);
    expect(textOf(await browser.get(one.url))).toContain('The login ends on /profile.');
    const accounts = await browser.submit(two, 'main form');
    expect(pathOf(await choose(browser, accounts, alice))).toBe(second);
    expect(pathOf(await browser.get('/auth/return?to=unknown'))).toBe('/profile');
    expect((await browser.get('/auth/return')).url.pathname).toBe('/profile');
  });

  it('of 2,000 characters leaves one cookie when it is opened in six tabs at once', async () => {
    const browser = new Browser(origin);
    await Promise.all(Array.from({ length: 6 }, () => browser.get(addressOf(2_000))));
    expect((await browser.cookies()).filter(({ key }) => key.includes('return'))).toHaveLength(1);
  });

  it('is not stored for HEAD and prefetch requests', async () => {
    const browser = new Browser(origin);
    const url = new URL(addressOf(1_000), origin);
    const accept = { accept: 'text/html' };
    for (const answer of [
      await browser.request('HEAD', url, undefined, accept),
      await browser.request('GET', url, undefined, { ...accept, 'sec-purpose': 'prefetch' }),
    ])
      expect(String(answer.headers['set-cookie'])).not.toContain('authjs.return');
  });

  it('is not consumed by HEAD and prefetch requests', async () => {
    const browser = new Browser(origin);
    const address = addressOf(1_000);
    const login = await browser.get(address);
    const short = login.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value') ?? '';
    expect(short).toMatch(/^\/auth\/return\?to=[\w-]{8}$/);
    const url = new URL(short, origin);
    expect((await browser.request('HEAD', url)).status).toBe(204);
    expect((await browser.request('GET', url, undefined, { 'sec-purpose': 'prefetch' })).status).toBe(204);
    expect((await browser.request('GET', url)).headers['location']).toBe(address);
  });

  it.each(['of-another-kind', 'x'.repeat(3_000), '%00'])(
    'read from an invalid cookie leads to /profile: %.20s',
    async (value) => {
      const browser = new Browser(origin);
      await browser.jar.setCookie(`authjs.return-${new URL(origin).port}.0=${value}; Path=/`, origin);
      const answer = await browser.request('GET', new URL('/auth/return?to=abc', origin));
      expect(answer.headers['location']).toBe('/profile');
    },
  );
});

describe('the fragment of a return target', () => {
  it.each([
    ['/profile#live', ''],
    ['/profile?a=b#live', ''],
    ['a long address', '#live'],
  ])(
    'is restored after the sign-in when the browser has JavaScript: %s',
    async (path, fragment) => {
      const chromium = await startChromium();
      const context = await chromium.newContext();
      const page = await context.newPage();
      const problems = consoleErrorsOf(page);
      const address = origin + (fragment ? addressOf(1_200) + fragment : path);
      await page.goto(address);
      await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await page.getByRole('button', { name: alice }).click();
      await page.waitForURL(`${origin}/profile**`);
      expect(page.url()).toBe(address);
      expect(problems).toEqual([]);
      await chromium.close();
    },
    START_MS,
  );

  it(
    'is ignored on the login page itself, and without JavaScript the return target is restored without it',
    async () => {
      const chromium = await startChromium();
      const page = await (await chromium.newContext({ javaScriptEnabled: false })).newPage();
      await page.goto(`${origin}/profile?a=b#live`);
      await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await page.getByRole('button', { name: alice }).click();
      await page.waitForURL(`${origin}/profile**`);
      expect(new URL(page.url()).search).toBe('?a=b');
      const other = await (await chromium.newContext()).newPage();
      await other.goto(`${origin}/auth/login#main`);
      await other.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await other.getByRole('button', { name: alice }).click();
      await other.waitForURL(`${origin}/profile**`);
      expect(other.url()).toBe(`${origin}/profile`);
      await chromium.close();
    },
    START_MS,
  );
});

it('a third-party initiated login returns to a target of 1,000 characters behind nginx', async () => {
  const browser = new Browser(origin);
  const address = addressOf(1_000);
  const query = new URLSearchParams({ iss: sandbox.issuer, target_link_uri: origin + address });
  const accounts = await browser.get(`/auth/initiate?${query}`, { 'sec-fetch-dest': 'document' });
  expect(pathOf(await choose(browser, accounts, manyRoles))).toBe(address);
});
