import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser, csrfFrom, type Page } from './support/browser.js';
import { START_MS, startChromium } from './support/chromium.js';
import { FailuresController } from './support/failures.controller.js';
import { freePort } from './support/free-port.js';
import { runNginx } from './support/nginx.js';
import { pages, people } from './support/pages.js';
import { choose, signIn } from './support/sign-in.js';
import { apiEnvironment, startApi, type RunningApi } from './support/start-api.js';
import { environment, launch, redirectUrisOf } from './support/start-app.js';
import { until } from './support/until.js';
import { consoleErrorsOf } from './support/observed-page.js';

const proxies = [
  { kind: 'strips the path', target: (port: number) => `http://127.0.0.1:${port}/`, paths: {} },
  {
    kind: 'keeps the path, with custom redirect URIs',
    target: (port: number) => `http://127.0.0.1:${port}`,
    paths: { callbackPath: '/base/oidc/return', postLogoutPath: '/base/goodbye' },
  },
];

describe.each(proxies)('with BASE_PATH=/base behind an nginx that $kind,', ({ target, paths }) => {
  let origin: string;
  let sandbox: Sandbox;
  let api: RunningApi;
  let app: NestExpressApplication;
  let nginx: Awaited<ReturnType<typeof runNginx>>;
  const log: string[] = [];

  beforeAll(async () => {
    const [port, own] = await Promise.all([freePort(), freePort()]);
    origin = `http://localhost:${port}`;
    const { callbackPath = '/base/auth/callback', postLogoutPath = '/base/auth/logout/callback' } = paths;
    sandbox = await startSandbox({
      web: {
        ...redirectUrisOf(origin, { callbackPath, postLogoutPath }),
        backChannelLogoutUri: `${origin}/base/auth/backchannel-logout`,
      },
    });
    api = await startApi(apiEnvironment(sandbox));
    const env = {
      ...environment(origin, sandbox, { callbackPath, postLogoutPath }),
      BASE_PATH: '/base',
      API_URL: api.origin,
      METRICS_TOKEN: 'a-token-for-the-metrics',
    };
    app = await launch(env, own, { log, controllers: [FailuresController] });
    // All other paths belong to another server.
    nginx = await runNginx(
      port,
      `server { listen 127.0.0.1:${port}; location /base/ { proxy_pass ${target(own)}; } location / { return 418; } }`,
    );
  }, 60_000);
  afterAll(async () => {
    await nginx?.stop();
    await app?.close();
    await api?.close();
    await sandbox?.close();
  });

  /** The redirects and cookies in the responses of the application. */
  function sent(browser: Browser) {
    const answers = browser.answers.filter(({ url }) => url.origin === origin);
    const locations = answers.flatMap(({ url, response }) =>
      response.headers['location'] ? [new URL(response.headers['location'], url)] : [],
    );
    const cookies = answers.flatMap(({ response }) => [response.headers['set-cookie'] ?? []].flat());
    return { own: locations.filter((location) => location.origin === origin), cookies: cookies.map(String) };
  }

  it('sign-in, profile and sign-out use only redirects and cookies below /base', async () => {
    const browser = new Browser(origin);
    const profile = await signIn(browser, people.alice, '/base/profile');
    expect(profile.url.href).toBe(`${origin}/base/profile`);
    expect(profile.text).toContain('Alice Archer');
    expect(profile.document.querySelector('[aria-current="page"]')?.getAttribute('href')).toBe(
      '/base/profile',
    );
    expect((await browser.get('/base/auth/userinfo')).text).toContain('alice@acme.example');

    const read = await browser.submit(profile, 'form[action="/base/api/v1/me"]');
    expect([read.url.href, read.status]).toEqual([`${origin}/base/profile#roles`, 200]);
    const document = JSON.parse((await browser.get('/base/api-json')).text) as { servers: unknown };
    expect(document.servers).toEqual([{ url: `${origin}/base` }]);

    const end = await browser.submit(profile, 'main form[action="/base/auth/logout"]');
    expect(end.url.href).toBe(`${origin}/base/auth/logout/success`);
    expect((await browser.get('/base/profile')).url.href).toBe(
      `${origin}/base/auth/login?callbackUrl=%2Fbase%2Fprofile`,
    );

    const { own, cookies } = sent(browser);
    expect(own.length).toBeGreaterThan(3);
    for (const location of own) expect(location.pathname).toMatch(/^\/base\//);
    expect(cookies.length).toBeGreaterThan(4);
    for (const cookie of cookies) expect(cookie).toMatch(/; Path=\/base;/);
  });

  it('a sign-out everywhere ends below /base, and a second one without a session leads to the login page', async () => {
    const browser = new Browser(origin);
    const profile = await signIn(browser, people.bob, '/base/auth/login?prompt=create');
    expect(profile.url.pathname).toBe('/base/profile');
    expect((await browser.get('/base/auth/logout/success')).url.pathname).toBe('/base/');
    expect((await browser.get('/base/auth/logout/error')).url.pathname).toBe('/base/');
    const end = await browser.submit(profile, 'form[action="/base/auth/logout/everywhere"]');
    expect(end.url.href).toBe(`${origin}/base/auth/logout/success?ended=everywhere`);
    const again = await browser.post('/base/auth/logout/everywhere', csrfFrom(profile));
    expect(again.headers['location']).toBe('/base/auth/login');
    const late = await browser.post('/base/auth/logout', csrfFrom(profile));
    expect(late.headers['location']).toBe('/base/auth/logout/success?ended=before');
  });

  it('no page has a link outside /base or to a 404', async () => {
    const visitor = new Browser(origin);
    const browsers = { alice: new Browser(origin), bob: new Browser(origin) };
    for (const person of ['alice', 'bob'] as const)
      await signIn(browsers[person], people[person], '/base/auth/login');
    const seen = new Map<string, number>();
    for (const { path, person, status = 200 } of pages) {
      const browser = person ? browsers[person] : visitor;
      const page = await browser.get(`/base${path}`);
      expect({ path, status: page.status }).toEqual({ path, status });
      const links = addressesOn(page).filter((address) => address.origin === origin);
      expect(links.length).toBeGreaterThan(4);
      // The address of a form has no GET route: it returns 405, not 404.
      for (const { href } of links)
        if (!seen.has(href)) seen.set(href, (await browser.request('GET', new URL(href))).status);
    }
    const statuses = [...seen].map(([href, status]) => [href.replace(origin, ''), status] as const);
    expect(statuses.length).toBeGreaterThan(15);
    expect(
      statuses.filter(([path, status]) => !path.startsWith('/base/') || status === 404 || status >= 500),
    ).toEqual([]);
    expect(statuses.filter(([path]) => path.startsWith('/base/static/')).map(([, status]) => status)).toEqual(
      [200, 200, 200],
    );
  });

  it('failed sign-ins and requests without a session lead to pages below /base', async () => {
    const browser = new Browser(origin);
    const { callbackPath = '/base/auth/callback' } = paths;
    expect((await browser.get(`${callbackPath}?code=x&state=y`)).url.pathname).toBe('/base/auth/error');
    expect((await browser.get('/base/auth/signin/zitadel')).url.pathname).toBe('/base/auth/login');
    const refused = await fetch(`${origin}/base/profile`, { headers: { accept: 'application/json' } });
    expect(await refused.json()).toMatchObject({ loginUrl: '/base/auth/login' });
    const providers = await fetch(`${origin}/base/auth/providers`);
    expect(await providers.json()).toMatchObject({
      zitadel: { signinUrl: `${origin}/base/auth/signin/zitadel` },
    });
    const noCookies = await browser.get('/base/auth/error?reason=cookie_missing');
    expect(noCookies.text).toContain(`href="${origin}/base/"`);
  });

  it.each([['/base/admin?a=1'], [`/base/admin?long=${'x'.repeat(300)}`]])(
    'a cancelled sign-in leads back to the page that was asked for: %.20s',
    async (wanted) => {
      const browser = new Browser(origin);
      const people = await browser.submit(await browser.get(wanted), 'main form');
      const failed = await browser.submit(people, 'form:has(button[name="cancel"])', { button: 'Cancel' });
      expect(failed.url.pathname).toBe('/base/auth/error');
      const again = failed.document.querySelector('main a.button-primary')?.getAttribute('href') ?? '';
      expect(again).toMatch(/^\/base\/auth\/login\?/);
      const login = await browser.submit(await browser.get(again), 'main form');
      const page = await choose(browser, login, 'alice@acme.example');
      expect([page.status, page.url.pathname + page.url.search]).toEqual([200, wanted]);
    },
  );

  it('the error page links no page outside of /base', async () => {
    const failed = await new Browser(origin).get('/base/auth/error?reason=access_denied&callbackUrl=/other');
    expect(failed.text).not.toContain('other');
  });

  it('a sign-in returns to pages below /base only', async () => {
    const callbackUrlOf = async (wanted: string) => {
      const login = await new Browser(origin).get(
        `/base/auth/login?${new URLSearchParams({ callbackUrl: wanted })}`,
      );
      return login.document.querySelector('input[name="callbackUrl"]')?.getAttribute('value');
    };
    expect(await callbackUrlOf('/base/admin?a=b#c')).toBe('/base/admin?a=b#c');
    expect(await callbackUrlOf(`${origin}/base/admin`)).toBe('/base/admin');
    for (const foreign of [
      '/',
      '/admin',
      '/basement',
      '/base/../admin',
      '/base/%2e%2e/admin',
      '//base/admin',
    ])
      expect(await callbackUrlOf(foreign)).toBe('/base/profile');

    const browser = new Browser(origin);
    const query = new URLSearchParams({ iss: sandbox.issuer, target_link_uri: `${origin}/base/admin` });
    const people = await browser.get(`/base/auth/initiate?${query}`);
    const admin = await browser.submit(people, 'form:has(button[name="loginName"])', {
      button: 'alice@acme.example',
    });
    expect(admin.url.href).toBe(`${origin}/base/admin`);
    const readAgain = { ...csrfFrom(await browser.get('/base/profile')), callbackUrl: '/elsewhere' };
    expect((await browser.post('/base/auth/userinfo', readAgain)).headers['location']).toBe('/base/profile');
  });

  it('back-channel logout is received below /base', async () => {
    const [one, other] = [new Browser(origin), new Browser(origin)];
    await signIn(one, people.alice, '/base/profile');
    const answer = await other.request(
      'POST',
      new URL('/base/auth/backchannel-logout', origin),
      new URLSearchParams(),
    );
    expect(answer.status).toBe(400);
    const before = sandbox.backChannelDeliveries.length;
    const profile = await one.get('/base/profile');
    await one.submit(profile, 'main form[action="/base/auth/logout"]');
    await until(() => sandbox.backChannelDeliveries.length > before);
    expect(sandbox.backChannelDeliveries.at(-1)).toMatchObject({ status: 200 });
  });

  it('health checks and metrics respond with and without /base on this machine, with the same route labels', async () => {
    const { port } = new URL(await app.getUrl());
    for (const path of ['', '/base']) {
      const live = await fetch(`http://127.0.0.1:${port}${path}/health/live`);
      expect(await live.json()).toEqual({ status: 'ok' });
    }
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, {
      headers: { authorization: 'Bearer a-token-for-the-metrics' },
    });
    const text = await metrics.text();
    expect(text).toContain('route="/health/live"');
    expect(text).toContain('route="/static/*"');
    expect(text).not.toContain('/base');
  });

  it('AUTH_RATE_LIMIT applies with and without /base', async () => {
    const [own, limited] = [await freePort(), `${origin}/base/auth/callback`];
    const env = {
      ...environment(origin, sandbox),
      PORT: String(own),
      BASE_PATH: '/base',
      AUTH_RATE_LIMIT: '2',
      ZITADEL_CALLBACK_URL: limited,
      ZITADEL_POST_LOGOUT_URL: `${origin}/base/auth/logout/callback`,
    };
    const another = await launch(env, own);
    const statuses = [];
    for (const path of ['/base/auth/initiate', '/auth/initiate', '/base/auth/initiate'])
      statuses.push((await fetch(`http://127.0.0.1:${own}${path}`)).status);
    await another.close();
    expect(statuses.map((status) => status === 429)).toEqual([false, false, true]);
  });

  it(
    'sign-in and sign-out succeed in a browser without an error in its console',
    async () => {
      const chromium = await startChromium();
      const page = await chromium.newPage();
      const problems = consoleErrorsOf(page);
      page.on('response', (response) => response.status() >= 400 && problems.push(response.url()));
      await page.goto(`${origin}/base/`);
      await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
      await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
      await page.getByRole('button', { name: /alice@acme\.example/ }).click();
      await page.waitForURL(`${origin}/base/profile`);
      await page.locator('#live').scrollIntoViewIfNeeded();
      await page.locator('#live [data-live-content] table').waitFor();
      await page.getByRole('main').getByRole('button', { name: 'Log out', exact: true }).click();
      await page.waitForURL(`${origin}/base/auth/logout/success`);
      expect(problems).toEqual([]);
      await chromium.close();
    },
    START_MS,
  );
});

/** Every address in a page. */
function addressesOn(page: Page): URL[] {
  const named = page.document
    .querySelectorAll('[href],[action],[src],[data-live],[data-ended]')
    .flatMap((element) =>
      ['href', 'action', 'src', 'data-live', 'data-ended'].flatMap(
        (name) => element.getAttribute(name) ?? [],
      ),
    );
  const distinct = new Set(named.filter((address) => !address.startsWith('#')));
  return [...distinct].map((address) => new URL(address, page.url));
}

describe('with https and BASE_PATH=/base', () => {
  it('cookies have the prefix __Secure- and Path=/base', async () => {
    const port = await freePort();
    const sandbox = await startSandbox();
    const env = { ...environment('https://localhost', sandbox), PORT: String(port), BASE_PATH: '/base' };
    const app = await launch(
      {
        ...env,
        ZITADEL_CALLBACK_URL: 'https://localhost/base/auth/callback',
        ZITADEL_POST_LOGOUT_URL: 'https://localhost/base/auth/logout/callback',
      },
      port,
    );
    const login = await fetch(`http://localhost:${port}/auth/login`);
    await app.close();
    await sandbox.close();
    const [cookie, ...others] = login.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(
      /^__Secure-authjs\.csrf-token-base=.*; Path=\/base; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});
