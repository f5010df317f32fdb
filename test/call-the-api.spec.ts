import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { readEnv } from '../src/config/env.js';
import { Browser, type Page } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { listening } from './support/listening.js';
import { moveTime } from './support/move-time.js';
import { choose, signIn } from './support/sign-in.js';
import { apiEnvironment, startApi } from './support/start-api.js';
import { environment, launch } from './support/start-app.js';

const AUDIENCE_OF_OTHERS = 'urn:zitadel:iam:org:project:id:320000000000000200:aud';

let sandbox: Sandbox;
let origin: string;
let calls: { authorization: string | undefined; cookie: string | undefined }[] = [];
/** the response of the relay in place of the API's */
let refuse: { status: number; body?: string; challenge?: string } | 'hang up' | 'hang up once' | undefined;
/** the delay of the relay */
let delayMs = 0;
const running: { close(): Promise<unknown> }[] = [];

/** The application, and the API behind a relay that records the calls and can refuse them. */
beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  sandbox = await startSandbox({ web: { redirectUris: [`${origin}/auth/callback`] } });
  const api = await startApi(apiEnvironment(sandbox));
  const between = await listening((request, response) => {
    const { authorization, cookie } = request.headers;
    calls.push({ authorization, cookie });
    if (refuse === 'hang up once') {
      refuse = undefined;
      return void response.destroy();
    }
    if (refuse === 'hang up') return void response.destroy();
    if (refuse?.challenge) response.setHeader('www-authenticate', refuse.challenge);
    if (refuse) return void response.writeHead(refuse.status).end(refuse.body);
    const answered = pause(delayMs).then(() =>
      api.get(request.url ?? '', authorization?.replace('Bearer ', '')),
    );
    void answered.then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  });
  const app = await launch({ ...environment(origin, sandbox), API_URL: between.origin }, port);
  running.push(app, between, api, sandbox);
}, 30_000);
afterAll(() => Promise.all(running.map((server) => server.close())));
beforeEach(() => {
  calls = [];
  refuse = undefined;
  delayMs = 0;
});

async function signedIn() {
  const browser = new Browser(origin);
  const profile = await signIn(browser, 'alice@acme.example');
  sandbox.requests.length = 0;
  return { browser, profile };
}

const callApi = (browser: Browser, page: Page) => browser.submit(page, 'form[action^="/profile/api"]');
const userinfos = () => sandbox.requests.filter(({ path }) => path === '/oidc/v1/userinfo');
const said = (page: Page) =>
  page.document.querySelector('#api [role="status"]')?.text.replace(/\s+/g, ' ').trim();

describe('a call of the API from the profile page', () => {
  it('has a longer timeout than INTROSPECTION_TIMEOUT', async () => {
    const { browser, profile } = await signedIn();
    delayMs = 5_200;
    expect(said(await callApi(browser, profile))).toBe('The API answered (200) "Hello World!"');
    const source = {
      SESSION_SECRET: 'x'.repeat(32),
      ZITADEL_DOMAIN: sandbox.issuer,
      ZITADEL_CLIENT_ID: '1',
      API_URL: 'http://localhost:3001',
    };
    for (const seconds of [5, 30, 60]) {
      const { api } = readEnv({ ...source, INTROSPECTION_TIMEOUT: String(seconds) });
      expect(api?.timeoutSeconds).toBeGreaterThan(seconds);
    }
  });

  it('shows the response of the API and no token', async () => {
    const { browser, profile } = await signedIn();
    expect(said(profile)).toBeUndefined();
    const page = await callApi(browser, profile);
    expect(page.status).toBe(200);
    expect(said(page)).toBe('The API answered (200) "Hello World!"');
    expect(page.text).toContain('Alice Archer');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(calls).toEqual([{ authorization: expect.stringMatching(/^Bearer \S+$/), cookie: undefined }]);
    for (const { response } of browser.answers) {
      expect(response.text).not.toContain(calls[0]?.authorization?.replace('Bearer ', ''));
    }
  });

  it('ends the session when the API and then Zitadel twice refuse the access token', async () => {
    const { browser } = await signedIn();
    sandbox.expire('access_tokens');
    const pages = await Promise.all(Array.from({ length: 10 }, () => browser.get('/profile/api')));
    for (const page of pages) expect(page.status).toBe(503);
    moveTime(12_000);
    expect((await browser.get('/profile/api')).url.searchParams.get('reason')).toBe('revoked');
    expect(userinfos()).toHaveLength(2);
    expect(sandbox.grants('refresh_token')).toHaveLength(0);
  });

  it('shows the refusal and keeps the session when Zitadel still accepts the access token', async () => {
    const { browser, profile } = await signedIn();
    refuse = { status: 401 };
    const page = await callApi(browser, profile);
    expect(said(page)).toMatch(/^The API did not let you in \(401\) It does not accept your access token/);
    expect(calls).toHaveLength(1);
    expect(userinfos()).toHaveLength(1);
    expect(sandbox.grants('refresh_token')).toHaveLength(0);
    expect((await browser.get('/profile')).status).toBe(200);

    await callApi(browser, page);
    expect(calls).toHaveLength(2);
    expect(sandbox.grants('refresh_token')).toHaveLength(0);
  });

  it('offers a new sign-in with max_age, and refreshes no token, when the last sign-in is too old', async () => {
    const { browser, profile } = await signedIn();
    refuse = {
      status: 401,
      challenge: 'Bearer error="insufficient_user_authentication", error_description="x", max_age="60"',
    };
    const page = await callApi(browser, profile);
    expect(said(page)).toMatch(/^The API wants a fresh login \(401\)/);
    expect(calls).toHaveLength(1);
    expect(sandbox.grants('refresh_token')).toHaveLength(0);
    const link = page.document.querySelector('#api [role="status"] a')?.getAttribute('href');
    expect(link?.replaceAll('&amp;', '&')).toBe(
      '/auth/fresh-sign-in?max_age=60&callbackUrl=%2Fprofile%2Fapi',
    );
  });

  it.each([
    ['This needs a login with: otp, mfa', 'factor_missing'],
    ['Some other text', undefined],
  ])('offers a new sign-in that asks for the factors where the API says "%s"', async (text, reason) => {
    const { browser, profile } = await signedIn();
    const challenge = `Bearer error="insufficient_user_authentication", error_description="${text}"`;
    refuse = { status: 401, challenge };
    const page = await callApi(browser, profile);
    expect(said(page)).toMatch(/^The API wants another way to log in \(401\)/);
    const link = page.document.querySelector('#api [role="status"] a')?.getAttribute('href') ?? '';
    const login = await browser.get(link.replaceAll('&amp;', '&'));
    const { searchParams } =
      login.path.find(({ pathname }) => pathname === '/oauth/v2/authorize') ?? login.url;
    expect([searchParams.get('prompt'), searchParams.has('max_age')]).toEqual(['login', false]);
    refuse = undefined;
    const end = await choose(browser, login, 'alice@acme.example');
    expect([end.url.pathname, end.url.searchParams.get('reason') ?? undefined]).toEqual(
      reason === undefined ? ['/profile/api', undefined] : ['/auth/error', reason],
    );
  });

  it.each([
    [{ status: 403, body: '<b>no</b>' }, 'The API did not let you in (403)'],
    [{ status: 431 }, 'The API did not let you in (431) Your access token is longer than the API reads'],
    [{ status: 503 }, 'The API cannot check who you are right now (503)'],
    [{ status: 418, body: 'teapot' }, 'The API answered something unexpected (418)'],
    [{ status: 200, body: 'x'.repeat(20_000) }, 'The API does not answer'],
    ['hang up', 'The API does not answer'],
  ] as const)('shows the outcome for %j', async (refusal, sentence) => {
    const { browser, profile } = await signedIn();
    refuse = refusal;
    const page = await callApi(browser, profile);
    expect(page.status).toBe(200);
    expect(said(page)?.slice(0, sentence.length)).toBe(sentence);
    expect(page.text).not.toMatch(/<b>no|teapot/);
    // A GET is sent again after a closed connection and after a 503.
    expect(calls).toHaveLength(refusal === 'hang up' || refusal.status === 503 ? 2 : 1);
    expect(sandbox.grants('refresh_token')).toHaveLength(0);
  });

  it('is sent again when a kept-alive connection was closed', async () => {
    const { browser, profile } = await signedIn();
    refuse = 'hang up once';
    expect(said(await callApi(browser, profile))).toBe('The API answered (200) "Hello World!"');
    expect(calls).toHaveLength(2);
  });

  it('shows the response body as escaped text', async () => {
    const { browser, profile } = await signedIn();
    refuse = { status: 200, body: '<script>alert(1)</script>' };
    const page = await callApi(browser, profile);
    expect(said(page)).toBe('The API answered (200) <script>alert(1)</script>');
    expect(page.document.querySelector('script:not([src])')).toBeNull();
  });

  it('requires a session', async () => {
    const page = await new Browser(origin).get('/profile/api');
    expect(page.url.pathname).toBe('/auth/login');
    expect(calls).toEqual([]);
  });
});

describe('the scope of the authorization request', () => {
  it('has the audience of IDP_PROJECT_ID when API_URL is set, so that an API of another project accepts the token', async () => {
    const port = await freePort();
    const elsewhere = `http://localhost:${port}`;
    const idp = await startSandbox({ web: { redirectUris: [`${elsewhere}/auth/callback`] } });
    const foreign = {
      IDP_AUTHORITY: idp.issuer,
      ZITADEL_API_KEY_FILE: JSON.stringify(idp.clients.foreignApi.key),
      IDP_PROJECT_ID: '320000000000000200',
    };
    const api = await startApi(foreign);
    const app = await launch(
      { ...environment(elsewhere, idp), API_URL: api.origin, IDP_PROJECT_ID: foreign.IDP_PROJECT_ID },
      port,
    );
    try {
      const browser = new Browser(elsewhere);
      const profile = await signIn(browser, 'alice@acme.example');
      const asked = browser.answers.find(({ url }) => url.pathname === '/oauth/v2/authorize');
      expect(asked?.url.searchParams.get('scope')?.split(' ')).toContain(AUDIENCE_OF_OTHERS);
      expect(said(await callApi(browser, profile))).toBe('The API answered (200) "Hello World!"');
    } finally {
      await Promise.all([app, api, idp].map((server) => server.close()));
    }
  }, 30_000);

  it('has no audience when API_URL is not set', async () => {
    const port = await freePort();
    const alone = `http://localhost:${port}`;
    const app = await launch({ ...environment(alone, sandbox), IDP_PROJECT_ID: '320000000000000200' }, port);
    try {
      const browser = new Browser(alone);
      const login = await browser.get('/auth/login');
      const stopped = await browser.stopAt('/oauth/v2/authorize', () =>
        browser.submit(login, 'form[action="/auth/signin/zitadel"]'),
      );
      expect(stopped.searchParams.get('scope')).not.toContain(':aud');
    } finally {
      await app.close();
    }
  });
});

describe('without API_URL', () => {
  it('the profile page offers no call, and /profile/api returns 404', async () => {
    const port = await freePort();
    const alone = `http://localhost:${port}`;
    const idp = await startSandbox({ web: { redirectUris: [`${alone}/auth/callback`] } });
    const app = await launch(environment(alone, idp), port);
    try {
      const browser = new Browser(alone);
      const profile = await signIn(browser, 'alice@acme.example');
      expect(profile.url.pathname).toBe('/profile');
      expect(profile.document.querySelector('#api')).toBeNull();
      expect((await browser.get('/profile/api')).status).toBe(404);
    } finally {
      await Promise.all([app.close(), idp.close()]);
    }
  });
});
