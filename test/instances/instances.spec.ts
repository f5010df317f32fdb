import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser } from '../support/browser.js';
import { choose, signIn } from '../support/sign-in.js';
import { startInstances, type RunningInstances } from '../support/start-instances.js';
import { until } from '../support/until.js';
import { metricsOf } from '../support/metrics.js';

const TOKEN = '/oauth/v2/token';

let app: RunningInstances;
/** browsers of Alice whose access tokens are due */
let due: Browser[];
beforeAll(async () => {
  app = await startInstances();
  app.sandbox.setAccessTokenTtl(4);
  due = [await signedIn(), await signedIn(), await signedIn(), await signedIn()];
  app.sandbox.setAccessTokenTtl(43_200);
  await pause(3_700);
}, 240_000);
afterAll(() => app?.close());
afterEach(() => app.sandbox.delay(TOKEN, 0));

/** The status of each instance for the cookie: 200 with a session and 401 without. */
const statuses = async (cookie: string, path = '/auth/userinfo') =>
  Promise.all(
    app.origins.map(async (origin) => (await fetch(origin + path, { headers: { cookie } })).status),
  );

function dueBrowser() {
  const browser = due.pop();
  if (!browser) throw new Error('Every session that was due has been used');
  return browser;
}

async function signedIn(loginName = 'alice@acme.example') {
  const browser = app.browser();
  expect((await signIn(browser, loginName)).url.pathname).toBe('/profile');
  return browser;
}

describe('two instances behind nginx', () => {
  it('sign a user in, whichever instance gets each request', async () => {
    for (let count = 0; count < 4; count++) {
      const browser = await signedIn();
      expect(await statuses(await browser.cookieHeader())).toEqual([200, 200]);
    }
  });

  it('refresh the tokens of a session once for a hundred concurrent requests', async () => {
    const browser = dueBrowser();
    const cookie = await browser.cookieHeader();
    app.sandbox.delay(TOKEN, 300);
    const before = app.sandbox.grants('refresh_token').length;
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        fetch(`${app.origin}/profile`, { redirect: 'manual', headers: { cookie } }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(app.sandbox.grants('refresh_token')).toHaveLength(before + 1);
    for (const answer of answers) expect(answer.headers.getSetCookie().join()).toContain('session-token');

    // A late request with the old cookie succeeds on both instances.
    expect(await statuses(cookie)).toEqual([200, 200]);
    expect(app.sandbox.grants('refresh_token')).toHaveLength(before + 1);
  });

  it('ask Redis nothing for signed-in pages', async () => {
    const browsers = [await signedIn(), await signedIn('bob@acme.example')];
    const cookies = await Promise.all(browsers.map((browser) => browser.cookieHeader()));
    const pages = async () => {
      for (const cookie of [...cookies, ...cookies])
        expect(await statuses(cookie, '/profile')).toEqual([200, 200]);
    };
    expect(await app.redis.commandsDuring(pages)).toEqual([]);
    const page = await browsers[0]?.get('/profile');
    const signOut = async () => page && browsers[0]?.submit(page, 'main form[action="/auth/logout"]');
    expect(await app.redis.commandsDuring(signOut)).not.toEqual([]);
  });

  it('end a session on both when the user signs out on one', async () => {
    const browser = await signedIn();
    const cookie = await browser.cookieHeader();
    const other = await (await signedIn()).cookieHeader();
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    expect(await statuses(cookie)).toEqual([401, 401]);
    expect(await statuses(other)).toEqual([200, 200]);
  });

  it('respond to two concurrent sign-outs of a session with the same redirect', async () => {
    const browser = await signedIn();
    const cookie = await browser.cookieHeader();
    const body = new URLSearchParams(csrfFrom(await browser.get('/profile')));
    const answers = await Promise.all(
      app.origins.map((origin) =>
        fetch(`${origin}/auth/logout`, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie, origin: app.origin },
          body,
        }),
      ),
    );
    const [address, other] = answers.map(({ headers }) => headers.get('location'));
    expect(address).toContain('id_token_hint=');
    expect(other).toBe(address);
  });

  it('end all sessions of a user on both after a sign-out everywhere', async () => {
    const browser = await signedIn('bob@acme.example');
    const elsewhere = await (await signedIn('bob@acme.example')).cookieHeader();
    const somebody = await (await signedIn()).cookieHeader();
    await browser.submit(await browser.get('/profile'), 'form[action="/auth/logout/everywhere"]');
    expect(await statuses(elsewhere)).toEqual([401, 401]);
    expect(await statuses(somebody)).toEqual([200, 200]);
  });

  it('end a session on both after a back-channel logout', async () => {
    const browser = await signedIn('carol@globex.example');
    const cookie = await browser.cookieHeader();
    const before = app.sandbox.backChannelDeliveries.length;
    browser.forget(/session-token/);
    const login = await browser.submit(
      await browser.get('/auth/login'),
      'form[action="/auth/signin/zitadel"]',
    );
    const again =
      login.url.origin === app.origin ? login : await choose(browser, login, 'carol@globex.example');
    // The second session belongs to the same session at Zitadel, which sends a logout token for the first.
    await browser.submit(again, 'main form[action="/auth/logout"]');
    await until(() => app.sandbox.backChannelDeliveries.length > before);
    await until(async () => (await statuses(cookie)).every((status) => status === 401));
  });

  it('keep a session ended over a restart', async () => {
    const browser = await signedIn();
    const cookie = await browser.cookieHeader();
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    await app.restart(0);
    expect(await statuses(cookie)).toEqual([401, 401]);
  });

  it('store only hashed names and encrypted values with an expiry in Redis', async () => {
    const browser = dueBrowser();
    await browser.get('/profile');
    const content = await app.redis.content();
    expect(content.length).toBeGreaterThan(2);
    // Names are hashes. Values are JWE with `alg` `dir` (RFC 7516 7.1), except lease and database markers.
    const header = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url');
    const jwe = `${header}\\.\\.[\\w-]{16}\\.[\\w-]+\\.[\\w-]{22}`;
    const hash = '[\\w-]{43}';
    const kinds = `entries:${hash} ${jwe}(,${jwe})*|lease:${hash} 1|marker: [\\da-f-]{36}`;
    for (const { key, value } of content)
      expect(`${key} ${value}`).toMatch(new RegExp(`^nestjs-zitadel:[\\w-]{8}:(${kinds})$`));
    for (const { ttlMs } of content) expect(ttlMs).toBeGreaterThan(0);
  });
});

describe('while Redis is unavailable', () => {
  it.each([
    ['stopped', () => app.redis.stop(), () => app.redis.start()],
    ['frozen', () => Promise.resolve(app.redis.freeze()), () => Promise.resolve(app.redis.thaw())],
  ])(
    '(%s), live sessions stay valid, ended sessions stay ended, and each instance logs it once',
    async (_name, goes, comes) => {
      const ended = await signedIn();
      const endedCookie = await ended.cookieHeader();
      const staying = await signedIn();
      await ended.submit(await ended.get('/profile'), 'main form[action="/auth/logout"]');
      expect(await statuses(endedCookie)).toEqual([401, 401]);
      const saidBefore = count('Redis failed (REDIS_URL)');

      await goes();
      for (let views = 0; views < 5; views++) expect((await staying.get('/profile')).status).toBe(200);
      expect(await statuses(endedCookie)).toEqual([401, 401]);
      const bob = await signedIn('bob@acme.example');
      const out = await bob.submit(await bob.get('/profile'), 'form[action="/auth/logout/everywhere"]');
      expect(out.url.searchParams.get('reason')).toBe('others_not_ended');
      expect(await readiness()).toEqual(['degraded', 'degraded']);
      expect(await metricsOf(app.origins[0] ?? '')).toMatch(/^state_shared 0$/m);
      expect(count('Redis failed (REDIS_URL)')).toEqual(saidBefore.map((times) => times + 1));

      const meanwhile = await staying.cookieHeader();
      await staying.submit(await staying.get('/profile'), 'main form[action="/auth/logout"]');
      expect(await statuses(meanwhile)).toContain(401);

      await comes();
      await until(async () => !(await readiness()).includes('degraded'));
      expect(await readiness()).toEqual(['ok', 'ok']);
      expect(await statuses(meanwhile)).toEqual([401, 401]);
      expect(await statuses(endedCookie)).toEqual([401, 401]);
    },
    60_000,
  );
});

describe.each([
  ['refuses the later use', null],
  ['accepts both but only the later tokens stay valid', 50],
])(
  'when two instances without Redis use one refresh token at the same time and Zitadel %s,',
  (_name, reuseMs) => {
    it('one request gets 200, the other 503 without a cookie, and both instances have the same tokens when Redis is back', async () => {
      const cookie = await dueBrowser().cookieHeader();
      await app.redis.stop();
      await until(async () => !(await readiness()).includes('ok'));
      app.sandbox.delay(TOKEN, 100);
      app.sandbox.setRefreshReuse(reuseMs);
      const both = await Promise.all(
        app.origins.map((origin) => fetch(`${origin}/auth/userinfo`, { headers: { cookie } })),
      );
      app.sandbox.setRefreshReuse(0);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 503]);
      const renewed = both.map((answer) =>
        answer.headers.getSetCookie().find((line) => line.includes('session-token')),
      );
      const at = (status: number) => both.findIndex((answer) => answer.status === status);
      expect(renewed[at(503)]).toBeUndefined();
      await app.redis.start();
      await until(async () => !(await readiness()).includes('degraded'));
      expect(await statuses(renewed[at(200)]?.split(';', 1)[0] ?? '')).toEqual([200, 200]);
      expect(await statuses(cookie)).toEqual([200, 200]);
    }, 30_000);
  },
);

const count = (text: string) => [0, 1].map((index) => app.log(index).split(text).length - 1);

/** The readiness of each instance. */
const readiness = () =>
  Promise.all(
    app.origins.map(async (origin) => {
      const answer = await fetch(`${origin}/health/ready`);
      expect(answer.status).toBe(200);
      return JSON.stringify(await answer.json()).includes('degraded') ? 'degraded' : 'ok';
    }),
  );

describe('nginx with its defaults', () => {
  it('passes the responses of a sign-in with a hundred roles and JWT access tokens', async () => {
    const roles = Array.from({ length: 100 }, (_, index) => `department-${index}.position`);
    const large = await startInstances({
      env: { SESSION_CLAIMS_MAX_AGE: '1' },
      sandbox: {
        users: [{ loginName: 'many@acme.example', givenName: 'Many', familyName: 'Roles', roles }],
        web: { accessTokenType: 'jwt', accessTokenRoleAssertion: true, idTokenRoleAssertion: true },
      },
    });
    try {
      const browser = large.browser();
      const page = await signIn(browser, 'many@acme.example');
      expect([page.status, page.url.pathname]).toEqual([200, '/profile']);
      expect(page.text).toContain('department-99.position');
      await pause(1_100);
      const { length } = browser.answers;
      expect((await browser.get('/profile')).text).toContain('department-99.position');
      // The roles were reloaded, so this response sets the session cookie.
      expect(String(browser.answers[length]?.response.headers['set-cookie'])).toContain('session-token');
      for (const { response } of browser.answers) expect([400, 431, 502]).not.toContain(response.status);
      const out = await browser.submit(page, 'main form[action="/auth/logout"]');
      expect(out.url.pathname).toBe('/auth/logout/success');
    } finally {
      await large.close();
    }
  }, 60_000);
});
