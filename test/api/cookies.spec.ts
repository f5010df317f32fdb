import { Controller, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { program, type Browser } from '../support/browser.js';
import { loggedIn } from '../support/logged-in.js';
import { startApi, type RunningApi } from '../support/start-api.js';
import { startApp, type RunningApp } from '../support/start-app.js';

@Controller('more')
class MoreRoutes {
  @Post('order')
  order() {
    return 'ordered';
  }
}

let app: RunningApp;
let api: RunningApi;
let browser: Browser;
/** of a browser in which alice is signed in at the web application */
let cookie: string;
/** of the service user */
let token: string;

beforeAll(async () => {
  app = await startApp();
  api = await startApi(
    {
      IDP_AUTHORITY: app.sandbox.issuer,
      ZITADEL_API_KEY_FILE: JSON.stringify(app.sandbox.clients.api.key),
      IDP_PROJECT_ID: app.sandbox.projectId,
    },
    [MoreRoutes],
  );
  browser = await loggedIn(app);
  cookie = await browser.jar.getCookieString(app.origin);
  token = app.sandbox.users.find(({ kind }) => kind === 'machine')?.pat ?? '';
});
afterAll(async () => {
  await api?.close();
  await app?.close();
});

describe('in the API,', () => {
  it('a session cookie without a token gets 401', async () => {
    const answer = await api.get('/api/v1/caller', undefined, { cookie });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a session cookie beside an invalid token gets 401', async () => {
    expect((await api.get('/api/v1/caller', 'not-a-token', { cookie })).status).toBe(401);
  });

  it('a session cookie beside a valid token is ignored: the caller is that of the token', async () => {
    const answer = await api.get('/api/v1/caller', token, { cookie });
    expect(await answer.json()).toMatchObject({ username: 'robot@acme.example' });
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('a POST needs a token and no CSRF token, and gets 401 with a cookie alone', async () => {
    const order = (headers: Record<string, string>) =>
      fetch(`${api.origin}/more/order`, { method: 'POST', headers: { cookie, ...headers } });
    expect((await order({ authorization: `Bearer ${token}` })).status).toBe(201);
    expect((await order({})).status).toBe(401);
  });
});

describe('in the web application,', () => {
  const bearer = () => ({ authorization: `Bearer ${token}` });

  it('a bearer token without a session cookie gets 401 and the login page', async () => {
    const stranger = app.browser();
    expect((await stranger.get('/auth/session', bearer())).text).toBe('null');
    expect((await stranger.get('/profile', bearer())).url.pathname).toBe('/auth/login');
    expect((await stranger.get('/auth/userinfo', { ...program, ...bearer() })).status).toBe(401);
  });

  it('a bearer token beside a session cookie is ignored: the page is that of the session', async () => {
    expect((await browser.get('/profile', bearer())).text).toContain('Alice Archer');
    const { text } = await browser.get('/auth/session', bearer());
    expect(JSON.parse(text)).toMatchObject({ user: { email: 'alice@acme.example' } });
  });

  it('a bearer token does not replace the CSRF token: sign-out returns 403', async () => {
    const refused = await browser.request(
      'POST',
      new URL('/auth/logout', app.origin),
      new URLSearchParams(),
      bearer(),
    );
    expect(refused.status).toBe(403);
    expect((await browser.get('/auth/session')).text).toContain('alice@acme.example');
  });
});
