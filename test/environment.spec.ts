import { afterEach, describe, expect, it } from '@jest/globals';
import { csrfFrom } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { loggedIn } from './support/logged-in.js';
import { moveTime } from './support/move-time.js';
import { refusalOf, refused } from './support/refusal.js';
import { signIn } from './support/sign-in.js';
import { environment, launch, startApp, type RunningApp } from './support/start-app.js';

let running: RunningApp[] = [];

async function start(...options: Parameters<typeof startApp>) {
  const app = await startApp(...options);
  running.push(app);
  return app;
}

afterEach(async () => {
  const ended = running;
  running = [];
  await Promise.all(ended.map((app) => app.close()));
});

const sessionCookie = async (browser: ReturnType<RunningApp['browser']>) =>
  (await browser.cookies()).find(({ key }) => key.includes('session-token'));

describe('ZITADEL_CALLBACK_URL', () => {
  it.each(['/auth/callback', '/auth/callback/zitadel', '/signed-in/from-zitadel'])(
    '%s is the redirect URI',
    async (path) => {
      const app = await start({ callbackPath: path });
      const page = await signIn(app.browser(), 'alice@acme.example');
      expect(page.path.map(({ pathname }) => pathname)).toContain(path);
      expect(page.url.pathname).toBe('/profile');
      expect(app.sandbox.grants('authorization_code').map(({ form }) => form['redirect_uri'])).toEqual([
        app.origin + path,
      ]);
    },
  );
});

describe('ZITADEL_POST_LOGIN_URL', () => {
  it('is where a sign-in ends that started nowhere in particular', async () => {
    const app = await start({ env: { ZITADEL_POST_LOGIN_URL: '/?welcome=1' } });
    expect((await signIn(app.browser(), 'alice@acme.example')).url.href).toBe(`${app.origin}/?welcome=1`);
    expect((await signIn(app.browser(), 'alice@acme.example', '/profile')).url.pathname).toBe('/profile');
  });
});

describe('ZITADEL_POST_LOGOUT_URL', () => {
  it('is where Zitadel sends the browser, whatever its path', async () => {
    const app = await start({ postLogoutPath: '/bye' });
    const browser = app.browser();
    const page = await browser.submit(
      await signIn(browser, 'bob@acme.example'),
      'main form[action="/auth/logout"]',
    );
    expect(page.path.map(({ pathname }) => pathname)).toContain('/bye');
    expect(page.url.pathname).toBe('/auth/logout/success');
  });
});

describe('ZITADEL_CLIENT_SECRET', () => {
  it('authenticates with client_secret_basic beside PKCE', async () => {
    const app = await start({ sandbox: { web: { authMethod: 'basic' } } });
    expect((await signIn(app.browser(), 'alice@acme.example')).url.pathname).toBe('/profile');
    const [grant] = app.sandbox.grants('authorization_code');
    expect(grant?.headers['authorization']).toMatch(/^Basic /);
    expect(grant?.form['client_secret']).toBeUndefined();
    expect(grant?.form['code_verifier']).toMatch(/^[\w-]{43,128}$/);
  });

  it('when empty, authenticates with PKCE alone', async () => {
    const app = await start({ env: { ZITADEL_CLIENT_SECRET: '' } });
    await signIn(app.browser(), 'alice@acme.example');
    const [grant] = app.sandbox.grants('authorization_code');
    expect(grant?.headers['authorization']).toBeUndefined();
    expect(grant?.form).toMatchObject({ client_id: app.sandbox.clients.web.clientId });
  });
});

describe('SESSION_DURATION', () => {
  it('ends an idle session and keeps a busy one', async () => {
    const app = await start({ env: { SESSION_DURATION: '2' } });
    const [idle, busy] = [await loggedIn(app), await loggedIn(app)];
    const stolen = await sessionCookie(idle);
    for (let request = 0; request < 5; request++) {
      moveTime(600);
      expect((await busy.get('/profile')).url.pathname).toBe('/profile');
    }
    expect((await idle.get('/profile')).url.pathname).toBe('/auth/login');
    const response = await fetch(`${app.origin}/profile`, {
      headers: { cookie: `${stolen?.key}=${stolen?.value}`, accept: '*/*' },
    });
    expect(response.status).toBe(401);
  });

  it('tells the browser how long to keep the cookie', async () => {
    const app = await start({ env: { SESSION_DURATION: '120' } });
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const ttlMs = (await sessionCookie(browser))?.TTL() ?? 0;
    expect(ttlMs).toBeGreaterThan(110_000);
    expect(ttlMs).toBeLessThanOrEqual(121_000);
  });

  it('never outlives SESSION_MAX_DURATION', async () => {
    const app = await start({ env: { SESSION_DURATION: '3', SESSION_MAX_DURATION: '2' } });
    const browser = await loggedIn(app);
    moveTime(1_000);
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
    moveTime(1_200);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });
});

describe('SESSION_SECRET and SESSION_SALT', () => {
  const [first, second] = [
    'the first secret that is long enough to be one',
    'the second secret that is long enough to be one',
  ];

  /** What another instance of the application answers. */
  async function statusWith(cookie: string, { origin, sandbox }: RunningApp, env: Record<string, string>) {
    const port = await freePort();
    const instance = await launch({ ...environment(origin, sandbox), ...env }, port);
    const headers = { cookie, accept: '*/*' };
    const { status } = await fetch(`http://localhost:${port}/profile`, { headers });
    await instance.close();
    return status;
  }

  it('rotate: the first writes, all read, and another salt opens nothing', async () => {
    const app = await start({ env: { SESSION_SECRET: first } });
    const browser = await loggedIn(app);
    const { key, value } = (await sessionCookie(browser)) ?? {};
    const cookie = `${key}=${value}`;
    expect(await statusWith(cookie, app, { SESSION_SECRET: first })).toBe(200);
    expect(await statusWith(cookie, app, { SESSION_SECRET: `${second},${first}` })).toBe(200);
    expect(await statusWith(cookie, app, { SESSION_SECRET: second })).toBe(401);
    expect(await statusWith(cookie, app, { SESSION_SECRET: first, SESSION_SALT: 'another salt' })).toBe(401);
  });
});

describe('Zitadel is down', () => {
  it('starts, serves pages, and says so when somebody signs in', async () => {
    const app = await start({ env: { ZITADEL_DOMAIN: 'http://localhost:9' } });
    const browser = app.browser();
    expect((await browser.get('/')).status).toBe(200);
    const page = await browser.submit(await browser.get('/auth/login'), 'main form');
    expect(refusalOf(page)).toEqual(refused('provider_unavailable'));
    expect(page.document.querySelector('h1')?.text).toBe('Sign-in is not available right now');
  });

  it('keeps sessions and ends them here on logout', async () => {
    const app = await start();
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    await app.sandbox.close();
    expect((await browser.get('/profile')).status).toBe(200);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    // Where the browser goes is known; whether anybody answers there is not this application's to say.
    const response = await browser.post('/auth/logout', csrfFrom(profile));
    expect(response.status).toBe(303);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('recovers without a restart', async () => {
    const app = await start();
    app.sandbox.fail('/.well-known/openid-configuration', 503);
    const browser = app.browser();
    expect((await browser.submit(await browser.get('/auth/login'), 'main form')).status).toBe(503);
    app.sandbox.fail('/.well-known/openid-configuration', null);
    expect((await signIn(browser, 'alice@acme.example')).url.pathname).toBe('/profile');
  });
});

describe('what Zitadel puts into tokens', () => {
  it.each([
    { accessTokenType: 'opaque', idTokenUserinfo: false },
    { accessTokenType: 'opaque', idTokenUserinfo: true },
    { accessTokenType: 'jwt', idTokenUserinfo: false },
    { accessTokenType: 'jwt', idTokenUserinfo: true },
  ] as const)('makes no difference: %o', async (web) => {
    const roles = { idTokenRoleAssertion: true, accessTokenRoleAssertion: true };
    const app = await start({ sandbox: { web: { ...web, ...roles } }, env: { SESSION_DURATION: '2' } });
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    expect(profile.text).toContain('Alice Archer');
    expect(profile.text).toContain('admin');
    moveTime(300);
    const again = await browser.get('/profile');
    expect(again.headers['set-cookie']).toBeDefined();
    expect(JSON.parse((await browser.get('/auth/userinfo')).text)).toMatchObject({
      email: 'alice@acme.example',
    });
    const page = await browser.submit(again, 'main form[action="/auth/logout"]');
    expect(page.url.pathname).toBe('/auth/logout/success');
    expect(await sessionCookie(browser)).toBeUndefined();
  });
});

describe('the log', () => {
  it('says why Zitadel refused a sign-in, and holds no secret', async () => {
    const log: string[] = [];
    const app = await start({
      sandbox: { web: { authMethod: 'basic' } },
      env: { ZITADEL_CLIENT_SECRET: 'the-wrong-secret' },
      log,
    });
    const page = await signIn(app.browser(), 'alice@acme.example');
    expect(refusalOf(page)).toEqual(refused('provider_misconfigured'));
    expect(log.join('\n')).toContain('provider_misconfigured');
    expect(log.join('\n')).toContain('invalid_client');
    expect(log.join('\n')).not.toMatch(/the-wrong-secret|code=|eyJ/);
  });

  it('holds no failure for a person who cancels', async () => {
    const log: string[] = [];
    const app = await start({ log });
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    await browser.submit(people, 'form:has(button[name="cancel"])', { button: 'Cancel' });
    expect(log.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    expect(log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
