import { Controller, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
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
/** of the browser, in which alice is signed in at the web application */
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

describe('the API and a session cookie of the web application', () => {
  it('the cookie alone is nothing: 401', async () => {
    const answer = await api.get('/api/v1/caller', undefined, { cookie });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('the cookie beside a token that is not valid helps nobody: 401', async () => {
    expect((await api.get('/api/v1/caller', 'not-a-token', { cookie })).status).toBe(401);
  });

  it('the cookie beside a valid token changes nothing: who calls is the one with the token', async () => {
    const answer = await api.get('/api/v1/caller', token, { cookie });
    expect(await answer.json()).toMatchObject({ username: 'robot@acme.example' });
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('a token needs no CSRF token, and a cookie in its place is refused', async () => {
    const order = (headers: Record<string, string>) =>
      fetch(`${api.origin}/more/order`, { method: 'POST', headers: { cookie, ...headers } });
    expect((await order({ authorization: `Bearer ${token}` })).status).toBe(201);
    expect((await order({})).status).toBe(401);
  });
});

describe('the web application and a bearer token', () => {
  const bearer = () => ({ authorization: `Bearer ${token}` });

  it('the token is no session', async () => {
    const stranger = app.browser();
    expect((await stranger.get('/auth/session', bearer())).text).toBe('null');
    expect((await stranger.get('/profile', bearer())).url.pathname).toBe('/auth/login');
    const program = { ...bearer(), accept: 'application/json', 'sec-fetch-mode': 'cors' };
    expect((await stranger.get('/auth/userinfo', program)).status).toBe(401);
  });

  it('the token beside a session changes nothing: the page is that of the one with the session', async () => {
    expect((await browser.get('/profile', bearer())).text).toContain('Alice Archer');
    const { text } = await browser.get('/auth/session', bearer());
    expect(JSON.parse(text)).toMatchObject({ user: { email: 'alice@acme.example' } });
  });

  it('the token does not stand in for the CSRF token', async () => {
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
