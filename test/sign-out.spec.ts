import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom } from './support/browser.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('a sign-out', () => {
  it('ends the session here and at Zitadel', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.path.map(({ pathname }) => pathname)).toEqual([
      '/auth/logout',
      '/oidc/v1/end_session',
      '/auth/logout/callback',
      '/auth/logout/success',
    ]);
    expect(textOf(page)).toContain('You are logged out');
    const query = page.path[1]?.searchParams;
    expect(query?.get('client_id')).toBe(app.sandbox.clients.web.clientId);
    expect(query?.get('post_logout_redirect_uri')).toBe(`${app.origin}/auth/logout/callback`);
    expect(query?.get('id_token_hint')).toMatch(/^eyJ/);
    expect(query?.get('state')?.length).toBeGreaterThan(21);

    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    const again = await browser.submit(await browser.get('/auth/login'), 'main form');
    expect(again.url.origin).toBe(app.sandbox.issuer);
    expect(again.document.querySelector('button[name="loginName"]')).not.toBeNull();
  });

  it('revokes the refresh token at Zitadel', async () => {
    const browser = app.browser();
    const before = app.sandbox.requests.filter(({ path }) => path === '/oauth/v2/revoke').length;
    await browser.submit(await signIn(browser, 'bob@acme.example'), 'main form[action="/auth/logout"]');
    const revocations = app.sandbox.requests.filter(({ path }) => path === '/oauth/v2/revoke');
    expect(revocations).toHaveLength(before + 1);
    expect(revocations.at(-1)).toMatchObject({ status: 200, form: { token_type_hint: 'refresh_token' } });
  });

  it.each(['/auth/logout/callback?state=wrong', '/auth/logout/callback'])(
    'with a wrong state ends on an error page with 400: %s',
    async (address) => {
      const browser = app.browser();
      const profile = await signIn(browser, 'alice@acme.example');
      const csrfToken =
        profile.document.querySelector('main input[name="csrfToken"]')?.getAttribute('value') ?? '';
      await browser.request('POST', new URL('/auth/logout', app.origin), new URLSearchParams({ csrfToken }));
      const page = await browser.get(address);
      expect(page.url.pathname).toBe('/auth/logout/error');
      expect(page.status).toBe(400);
      expect(textOf(page)).toContain('You are signed out here');
      expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    },
  );

  it('requires a POST (405) with the CSRF token of its form (403)', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const forged = await browser.submit(profile, 'main form[action="/auth/logout"]', {
      fields: { csrfToken: '' },
    });
    expect(forged.status).toBe(403);
    expect((await browser.get('/auth/logout')).status).toBe(405);
    expect((await browser.get('/profile')).status).toBe(200);
  });

  it('makes Zitadel show the account picker at the next sign-ins until one succeeds', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    await signIn(browser, 'bob@acme.example', '/auth/login?prompt=login');
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    for (const from of ['/auth/login', '/profile']) {
      const asked = await browser.submit(await browser.get(from), 'main form');
      expect([asked.url.origin, asked.url.pathname]).toEqual([app.sandbox.issuer, '/ui/v2/login/accounts']);
    }
    const page = await signIn(browser, 'alice@acme.example');
    expect(page.document.querySelector('h1')?.text).toBe('Alice Archer');
    browser.forget(/session-token/);
    // After the sign-in, the session at Zitadel suffices again.
    expect((await browser.submit(await browser.get('/auth/login'), 'main form')).url.pathname).toBe(
      '/profile',
    );
  });

  it('in a second tab ends on the success page', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
    expect(page.path.map(({ pathname }) => pathname)).toEqual(['/auth/logout', '/auth/logout/success']);
    expect(textOf(page)).toContain('already logged out here');
    expect(page.document.querySelector('main a[href="/auth/login"]')).not.toBeNull();
  });

  it('sent three times leads to one address, and each response has the cookie for the post-logout callback', async () => {
    const browser = app.browser();
    const body = new URLSearchParams(csrfFrom(await signIn(browser, 'alice@acme.example')));
    const cookie = await browser.cookieHeader();
    const send = () =>
      fetch(`${app.origin}/auth/logout`, { method: 'POST', redirect: 'manual', headers: { cookie }, body });
    const answers = [...(await Promise.all([send(), send()])), await send()];
    const [address, ...others] = answers.map(({ headers }) => headers.get('location'));
    expect(new URL(address ?? '').searchParams.has('id_token_hint')).toBe(true);
    expect(others).toEqual([address, address]);
    const back = (await fetch(address ?? '', { redirect: 'manual' })).headers.get('location') ?? '';
    for (const { headers } of answers) {
      const own = headers.getSetCookie().find((line) => line.startsWith('logout-state-'));
      const callback = await fetch(back, {
        redirect: 'manual',
        headers: { cookie: own?.split(';', 1)[0] ?? '' },
      });
      expect(callback.headers.get('location')).toBe('/auth/logout/success');
    }
  });

  it('with the cookie of an ended session is redirected from Zitadel to the post-logout callback', async () => {
    const browser = app.browser();
    const fields = csrfFrom(await signIn(browser, 'alice@acme.example'));
    const cookie = await browser.cookieHeader();
    await browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]');
    const late = await fetch(`${app.origin}/auth/logout`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams(fields),
    });
    const answer = await fetch(late.headers.get('location') ?? '', { redirect: 'manual' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toMatch(`${app.origin}/auth/logout/callback?state=`);
  });

  it('with ten roles in the ID token ends the session at Zitadel by a POST from the server', async () => {
    const roles = Array.from({ length: 10 }, (_, index) => `role-with-a-long-name-${index}`);
    const users = [{ loginName: 'dora@initech.example', roles }];
    const own = await startApp({ sandbox: { users, web: { idTokenRoleAssertion: true } } });
    try {
      const browser = own.browser();
      const profile = await signIn(browser, 'dora@initech.example');
      const page = await browser.submit(profile, 'main form[action="/auth/logout"]');
      expect(page.url.href).toBe(`${own.origin}/auth/logout/success`);
      const ended = own.sandbox.requests.filter(({ path }) => path === '/oidc/v1/end_session');
      expect(ended).toEqual([expect.objectContaining({ method: 'POST', status: 302 })]);
      const again = await browser.submit(await browser.get('/auth/login'), 'main form');
      expect(again.url.origin).toBe(own.sandbox.issuer);
    } finally {
      await own.close();
    }
  });

  it('through /auth/signout of Auth.js is redirected to the end_session endpoint', async () => {
    const browser = app.browser();
    const profile = await signIn(browser, 'alice@acme.example');
    const response = await browser.post('/auth/signout', csrfFrom(profile));
    expect(response.headers['location']).toContain(`${app.sandbox.issuer}/oidc/v1/end_session`);
    expect((await browser.get('/auth/signout')).status).toBe(405);
  });

  it('is not confirmed by /auth/logout/success while a session exists', async () => {
    const browser = app.browser();
    await signIn(browser, 'alice@acme.example');
    expect((await browser.get('/auth/logout/success')).url.pathname).toBe('/');
  });
});
