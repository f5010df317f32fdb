import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readEnv } from '../../src/config/env.js';
import type { Mutation, TokenMutation } from '../support/hostile/mutation.js';
import { mutations } from '../support/hostile/mutations.js';
import { byStranger, byUnknownKey } from '../support/hostile/signers.js';
import { startTrap } from '../support/hostile/trap.js';
import { moveTime } from '../support/move-time.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { program } from '../support/browser.js';

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/oauth/v2/keys';
const TOKEN = '/oauth/v2/token';
const USERINFO = '/oidc/v1/userinfo';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one.close()));
});

async function start(...options: Parameters<typeof startHostileApp>): Promise<HostileApp> {
  const app = await startHostileApp(...options);
  closing.push(app);
  return app;
}

async function trapped() {
  const trap = await startTrap();
  closing.push(trap);
  return trap;
}

describe('the issuer in the metadata', () => {
  it.each([
    ['the configured one with a suffix', (issuer: string) => `${issuer}INVALID`],
    ['the configured one with a trailing slash', (issuer: string) => `${issuer}/`],
    ['another address', () => 'https://evil.example'],
    ['missing', () => undefined],
  ])(
    'results in provider_misconfigured without an authorization request when it is %s',
    async (_name, change) => {
      const app = await start({
        provider: { metadata: ({ issuer }) => ({ issuer: change(String(issuer)) }) },
      });
      const browser = app.browser();
      expect(refusalOf(await app.signIn(browser))).toEqual(refused('provider_misconfigured'));
      expect(app.provider.requestsTo('/oauth/v2/authorize')).toEqual([]);
      expect(await app.session(browser)).toBeNull();
    },
  );
});

describe('the keys of the provider', () => {
  it('are fetched again once for an unknown kid', async () => {
    const app = await start();
    await app.signIn(app.browser());
    expect(app.provider.requestsTo(KEYS)).toHaveLength(1);
    expect((await app.signIn(app.browser(), mutations['new-key'])).url.pathname).toBe('/profile');
    expect(app.provider.requestsTo(KEYS)).toHaveLength(2);
    await app.signIn(app.browser());
    expect(app.provider.requestsTo(KEYS)).toHaveLength(2);
  });

  it('are fetched twice at most for a hundred ID tokens with an unknown kid', async () => {
    const app = await start();
    for (let login = 0; login < 100; login++) {
      const page = await app.signIn(app.browser(), { idToken: { sign: byUnknownKey } });
      expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
    }
    expect(app.provider.requestsTo(KEYS).length).toBeLessThanOrEqual(2);
  }, 300_000);

  it('are fetched twice at most for a hundred logout tokens with an unknown kid, which get 503 with Retry-After', async () => {
    const app = await start({ provider: { algorithms: ['ES256'] } });
    await app.signIn(app.browser());
    const send = async (mutation: TokenMutation) => {
      const body = new URLSearchParams({ logout_token: await app.provider.logoutToken(mutation) });
      return fetch(`${app.origin}/auth/backchannel-logout`, { method: 'POST', body });
    };
    expect((await send({ sign: byUnknownKey })).status).toBe(400);
    for (let sent = 0; sent < 100; sent++) {
      const response = await send({ sign: byUnknownKey });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
    }
    expect((await send({ sign: byStranger('ES256') })).status).toBe(400);
    expect(app.provider.requestsTo(KEYS).length).toBeLessThanOrEqual(2);
  });

  it('stay valid while they cannot be fetched', async () => {
    const app = await start();
    await app.signIn(app.browser());
    app.provider.fault(KEYS, { status: 500 });
    expect((await app.signIn(app.browser())).url.pathname).toBe('/profile');
  });

  it('result in provider_unavailable when they were never fetched', async () => {
    const app = await start();
    app.provider.fault(KEYS, { status: 500 });
    const browser = app.browser();
    expect(refusalOf(await app.signIn(browser))).toEqual(refused('provider_unavailable'));
    expect(await app.session(browser)).toBeNull();
    app.provider.fault(KEYS, null);
    expect((await app.signIn(browser)).url.pathname).toBe('/profile');
  });
});

describe('the metadata', () => {
  it('are fetched once, at start', async () => {
    const app = await start();
    await app.browser().get('/');
    await app.browser().get('/auth/login');
    for (let login = 0; login < 5; login++) await app.signIn(app.browser());
    expect(app.provider.requestsTo(DISCOVERY)).toHaveLength(1);
  });

  it('are fetched once for five concurrent sign-ins', async () => {
    const app = await start();
    app.provider.fault(DISCOVERY, { delayMs: 200 });
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => app.signIn(app.browser())));
    expect(pages.map(({ url }) => url.pathname)).toEqual(Array.from({ length: 5 }, () => '/profile'));
    expect(app.provider.requestsTo(DISCOVERY)).toHaveLength(1);
  });

  it('stay valid while the provider fails, and are not needed to start the application', async () => {
    const app = await start();
    app.provider.fault(DISCOVERY, { hangUp: true });
    const browser = app.browser();
    expect((await browser.get('/')).status).toBe(200);
    expect(refusalOf(await app.signIn(browser))).toEqual(refused('provider_unavailable'));
    app.provider.fault(DISCOVERY, null);
    expect((await app.signIn(browser)).url.pathname).toBe('/profile');
    app.provider.fault(DISCOVERY, { status: 500 });
    expect((await app.signIn(app.browser())).url.pathname).toBe('/profile');
  });

  it.each([
    ['HTML', { body: '<html>maintenance</html>', contentType: 'text/html' }],
    ['a list', { body: '[]' }],
    ['null', { body: 'null' }],
    ['truncated JSON', { body: '{"issuer":' }],
  ])('result in an error page without an authorization request when they are %s', async (_name, fault) => {
    const app = await start();
    app.provider.fault(DISCOVERY, fault);
    const page = await app.signIn(app.browser());
    expect(refusalOf(page)).toEqual({
      reason: expect.stringMatching(/^provider_(misconfigured|unavailable)$/),
      hasItsStatus: true,
    });
    expect(app.provider.requestsTo('/oauth/v2/authorize')).toEqual([]);
  });
});

describe('a request to the provider', () => {
  const endpoints = [DISCOVERY, KEYS, TOKEN, USERINFO];

  it('is aborted after a timeout', async () => {
    await Promise.all(
      endpoints.map(async (path) => {
        const app = await start();
        app.provider.fault(path, { delayMs: 60_000 });
        const browser = app.browser();
        const page = await app.signIn(browser);
        expect([path, refusalOf(page)]).toEqual([path, refused('provider_unavailable')]);
        expect(await app.session(browser)).toBeNull();
      }),
    );
  });

  it.each([
    [{}, 10],
    [{ ZITADEL_TIMEOUT: '2' }, 2],
  ])('has with %j a timeout of %i s', (env, seconds) => {
    const source = {
      SESSION_SECRET: 'x'.repeat(32),
      ZITADEL_DOMAIN: 'http://localhost:9',
      ZITADEL_CLIENT_ID: '1',
    };
    expect(readEnv({ ...source, ...env }).zitadel.timeoutSeconds).toBe(seconds);
  });

  it('may take 5.5 seconds with the default ZITADEL_TIMEOUT, both at sign-in and at refresh', async () => {
    const app = await start({ env: { ZITADEL_TIMEOUT: '' } });
    const browser = app.browser();
    app.provider.fault(TOKEN, { delayMs: 5_500 });
    expect((await app.signIn(browser, { tokenAnswer: { expires_in: 1 } })).url.pathname).toBe('/profile');
    await pause(1_100);
    expect((await browser.get('/auth/userinfo', program)).status).toBe(200);
    expect(app.provider.grants('refresh_token')).toHaveLength(1);
  });

  it.each([DISCOVERY, KEYS, USERINFO])(
    'is sent again when a kept-alive connection was closed: %s',
    async (path) => {
      const app = await start();
      app.provider.fault(path, { hangUp: true, times: 1 });
      // The documents read at start are read again after a day.
      moveTime(25 * 60 * 60_000);
      const before = app.provider.requestsTo(path).length;
      expect((await app.signIn(app.browser())).url.pathname).toBe('/profile');
      expect(app.provider.requestsTo(path)).toHaveLength(before + 2);
    },
  );

  it('with an authorization code is not sent again, because the code may have been redeemed', async () => {
    const app = await start();
    app.provider.fault(TOKEN, { hangUp: true, times: 1 });
    expect(refusalOf(await app.signIn(app.browser()))).toEqual(refused('provider_unavailable'));
    expect(app.provider.grants('authorization_code')).toHaveLength(1);
  });

  it.each(endpoints)('follows no redirect to another host: %s', async (path) => {
    const trap = await trapped();
    const app = await start();
    app.provider.fault(path, { redirectTo: `${trap.origin}${path}` });
    const browser = app.browser();
    const page = await app.signIn(browser);
    expect(refusalOf(page)).toMatchObject({ hasItsStatus: true });
    expect(trap.visits).toEqual([]);
    expect(await app.session(browser)).toBeNull();
  });

  it.each(endpoints)('is aborted when the response is 50 MB long: %s', async (path) => {
    const app = await start();
    app.provider.fault(path, { megabytes: 50 });
    const browser = app.browser();
    const page = await app.signIn(browser);
    expect(refusalOf(page)).toMatchObject({ hasItsStatus: true });
    expect(app.provider.megabytesSent).toBeLessThan(25);
    expect(await app.session(browser)).toBeNull();
  });

  it.each([
    ['token_endpoint', TOKEN],
    ['userinfo_endpoint', USERINFO],
    ['jwks_uri', KEYS],
  ])('is not sent over http to another host: %s', async (name, path) => {
    // 0.0.0.0 reaches this machine but is not a loopback address.
    const app = await start({
      provider: { metadata: (known) => ({ [name]: String(known[name]).replace('127.0.0.1', '0.0.0.0') }) },
    });
    const browser = app.browser();
    const page = await app.signIn(browser);
    expect(refusalOf(page)).toEqual(refused('provider_misconfigured'));
    expect(app.provider.requestsTo(path)).toEqual([]);
    expect(await app.session(browser)).toBeNull();
  });
});

describe('a sign-in', () => {
  it.each([
    ['500 from the token endpoint', TOKEN, { status: 500 }, 503],
    ['text from the token endpoint', TOKEN, { body: 'oops', contentType: 'text/plain' }, 502],
    ['a JSON list from the token endpoint', TOKEN, { body: '[]' }, 502],
    ['500 from userinfo', USERINFO, { status: 500 }, 503],
    ['text from userinfo', USERINFO, { body: 'oops', contentType: 'text/plain' }, 502],
    ['401 from userinfo', USERINFO, { status: 401 }, 502],
  ] as const)(
    'fails with the status of its failure for an invalid response: %s',
    async (_name, path, fault, status) => {
      const app = await start();
      app.provider.fault(path, fault);
      const browser = app.browser();
      const page = await app.signIn(browser);
      expect([refusalOf(page).hasItsStatus, page.status]).toEqual([true, status]);
      expect(await app.session(browser)).toBeNull();
    },
  );

  it.each([
    ['token_type bEARER is accepted', mutations['odd-bearer'], '/profile'],
    ['token_type mac is refused', mutations['no-bearer'], '/auth/callback'],
    ['token_type DPoP is refused', { tokenAnswer: { token_type: 'DPoP' } }, '/auth/callback'],
    ['a missing token_type is refused', { tokenAnswer: { token_type: undefined } }, '/auth/callback'],
    ['a missing expires_in is accepted', mutations['no-expires-in'], '/profile'],
    ['a missing access_token is refused', { tokenAnswer: { access_token: undefined } }, '/auth/callback'],
  ] as [string, Mutation, string][])('depends on the token response: %s', async (_name, mutation, path) => {
    const app = await start();
    const browser = app.browser();
    expect((await app.signIn(browser, mutation)).url.pathname).toBe(path);
    expect((await app.session(browser)) !== null).toBe(path === '/profile');
  });
});
