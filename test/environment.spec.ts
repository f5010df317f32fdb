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

describe('ZITADEL_CALLBACK_URL', () => {
  it.each(['/auth/callback', '/auth/callback/zitadel', '/signed-in/from-zitadel'])(
    'with the path %s is the redirect URI of authorization and token requests',
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
  it('is where a sign-in without a return target ends', async () => {
    const app = await start({ env: { ZITADEL_POST_LOGIN_URL: '/?welcome=1' } });
    expect((await signIn(app.browser(), 'alice@acme.example')).url.href).toBe(`${app.origin}/?welcome=1`);
    expect((await signIn(app.browser(), 'alice@acme.example', '/profile')).url.pathname).toBe('/profile');
  });
});

describe('ZITADEL_POST_LOGOUT_URL', () => {
  it('is the post-logout redirect URI, whatever its path', async () => {
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
  it('is sent with client_secret_basic together with PKCE', async () => {
    const app = await start({ sandbox: { web: { authMethod: 'basic' } } });
    expect((await signIn(app.browser(), 'alice@acme.example')).url.pathname).toBe('/profile');
    const [grant] = app.sandbox.grants('authorization_code');
    expect(grant?.headers['authorization']).toMatch(/^Basic /);
    expect(grant?.form['client_secret']).toBeUndefined();
    expect(grant?.form['code_verifier']).toMatch(/^[\w-]{43,128}$/);
  });

  it('may be empty: the client then authenticates with PKCE alone', async () => {
    const app = await start({ env: { ZITADEL_CLIENT_SECRET: '' } });
    await signIn(app.browser(), 'alice@acme.example');
    const [grant] = app.sandbox.grants('authorization_code');
    expect(grant?.headers['authorization']).toBeUndefined();
    expect(grant?.form).toMatchObject({ client_id: app.sandbox.clients.web.clientId });
  });
});

describe('SESSION_DURATION', () => {
  it('ends an idle session and keeps an active one', async () => {
    const app = await start({ env: { SESSION_DURATION: '2' } });
    const [idle, busy] = [await loggedIn(app), await loggedIn(app)];
    const stolen = await idle.sessionCookie();
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

  it('is the Max-Age of the session cookie', async () => {
    const app = await start({ env: { SESSION_DURATION: '120' } });
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    const ttlMs = (await browser.sessionCookie())?.TTL() ?? 0;
    expect(ttlMs).toBeGreaterThan(110_000);
    expect(ttlMs).toBeLessThanOrEqual(121_000);
  });

  it('does not extend a session beyond SESSION_MAX_DURATION', async () => {
    const app = await start({ env: { SESSION_DURATION: '3', SESSION_MAX_DURATION: '2' } });
    const browser = await loggedIn(app);
    moveTime(1_000);
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
    moveTime(1_200);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });
});

describe('SESSION_SECRET', () => {
  const [first, second] = [
    'the first secret that is long enough to be one',
    'the second secret that is long enough to be one',
  ];

  /** The status of a request with this cookie to another instance. */
  async function statusWith(cookie: string, { origin, sandbox }: RunningApp, env: Record<string, string>) {
    const port = await freePort();
    const instance = await launch({ ...environment(origin, sandbox), ...env }, port);
    const headers = { cookie, accept: '*/*' };
    const { status } = await fetch(`http://localhost:${port}/profile`, { headers });
    await instance.close();
    return status;
  }

  it('may be rotated: the first value encrypts, all values decrypt, and another SESSION_SALT decrypts nothing', async () => {
    const app = await start({ env: { SESSION_SECRET: first } });
    const browser = await loggedIn(app);
    const { key, value } = (await browser.sessionCookie()) ?? {};
    const cookie = `${key}=${value}`;
    expect(await statusWith(cookie, app, { SESSION_SECRET: first })).toBe(200);
    expect(await statusWith(cookie, app, { SESSION_SECRET: `${second},${first}` })).toBe(200);
    expect(await statusWith(cookie, app, { SESSION_SECRET: second })).toBe(401);
    expect(await statusWith(cookie, app, { SESSION_SECRET: first, SESSION_SALT: 'another salt' })).toBe(401);
  });
});

describe('while Zitadel is down,', () => {
  it('the application starts and serves pages, and a sign-in fails with provider_unavailable', async () => {
    const app = await start({ env: { ZITADEL_DOMAIN: 'http://localhost:9' } });
    const browser = app.browser();
    expect((await browser.get('/')).status).toBe(200);
    const page = await browser.submit(await browser.get('/auth/login'), 'main form');
    expect(refusalOf(page)).toEqual(refused('provider_unavailable'));
    expect(page.document.querySelector('h1')?.text).toBe('Sign-in is not available right now');
  });

  it('sessions stay valid, and a sign-out ends them here', async () => {
    const app = await start();
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    await app.sandbox.close();
    expect((await browser.get('/profile')).status).toBe(200);
    expect((await browser.get('/auth/userinfo')).status).toBe(503);
    // The redirect target is known; the application does not check whether Zitadel responds there.
    const response = await browser.post('/auth/logout', csrfFrom(profile));
    expect(response.status).toBe(303);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('the application needs no restart to sign users in when Zitadel is back', async () => {
    const app = await start();
    app.sandbox.fail('/.well-known/openid-configuration', 503);
    const browser = app.browser();
    expect((await browser.submit(await browser.get('/auth/login'), 'main form')).status).toBe(503);
    app.sandbox.fail('/.well-known/openid-configuration', null);
    expect((await signIn(browser, 'alice@acme.example')).url.pathname).toBe('/profile');
  });
});

describe('the type and content of the tokens', () => {
  it.each([
    { accessTokenType: 'opaque', idTokenUserinfo: false },
    { accessTokenType: 'opaque', idTokenUserinfo: true },
    { accessTokenType: 'jwt', idTokenUserinfo: false },
    { accessTokenType: 'jwt', idTokenUserinfo: true },
  ] as const)('do not change sign-in, profile, userinfo and sign-out: %o', async (web) => {
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
    expect(await browser.sessionCookie()).toBeUndefined();
  });
});

describe('the log', () => {
  it('has the reason of a refused sign-in and no secret', async () => {
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

  it('has one warning and no error when a user cancels the sign-in', async () => {
    const log: string[] = [];
    const app = await start({ log });
    const browser = app.browser();
    const people = await browser.submit(await browser.get('/auth/login'), 'main form');
    await browser.submit(people, 'form:has(button[name="cancel"])', { button: 'Cancel' });
    expect(log.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    expect(log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
