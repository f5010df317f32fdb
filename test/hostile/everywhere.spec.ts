import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser } from '../support/browser.js';
import { people } from '../support/hostile/people.js';
import { moveTime } from '../support/move-time.js';
import { textOf } from '../support/text-of.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const TOKEN = '/oauth/v2/token';
const EVERYWHERE = '/auth/logout/everywhere';

let app: HostileApp;
let laptop: Browser;
let phone: Browser;
let bob: Browser;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  [laptop, phone, bob] = [app.browser(), app.browser(), app.browser()];
  await app.signIn(laptop);
  await app.signIn(phone);
  await app.signIn(bob, { person: people.bob });
});

const alive = async () =>
  (await Promise.all([laptop, phone, bob].map((browser) => app.session(browser)))).map(
    (session) => session !== null,
  );

describe('a sign-out everywhere', () => {
  it('ends all sessions of this user and no session of another user', async () => {
    const copied = await phone.cookieHeader();
    const page = await laptop.submit(await laptop.get('/profile'), `form[action="${EVERYWHERE}"]`);
    expect(page.status).toBe(200);
    expect(page.url.pathname).toBe('/auth/logout/success');
    expect(await alive()).toEqual([false, false, true]);
    const replay = await fetch(`${app.origin}/profile`, {
      headers: { cookie: copied, accept: 'application/json' },
    });
    expect(replay.status).toBe(401);
    expect((await phone.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('ends the session at the provider', async () => {
    const page = await laptop.submit(await laptop.get('/profile'), `form[action="${EVERYWHERE}"]`);
    const endSession = page.path.find(({ pathname }) => pathname === '/oidc/v1/end_session');
    expect(endSession?.searchParams.get('id_token_hint')).toEqual(expect.any(String));
  });

  it('does not prevent the next sign-in', async () => {
    await laptop.submit(await laptop.get('/profile'), `form[action="${EVERYWHERE}"]`);
    expect((await app.signIn(laptop)).url.pathname).toBe('/profile');
    expect(await app.session(laptop)).not.toBeNull();
    expect(await alive()).toEqual([true, false, true]);
  });

  it.each(['/profile', '/auth/login', '/'])(
    'makes the other browser sign in with prompt=login from %s',
    async (from) => {
      await laptop.submit(await laptop.get('/profile'), `form[action="${EVERYWHERE}"]`);
      const first = await phone.get(from);
      const page = first.url.pathname === '/' ? await phone.get('/auth/login') : first;
      const said = page.document.querySelector('[role="status"]')?.text;
      expect(said).toContain('Your session here was ended');
      expect(said).toContain('may still be signed in at Zitadel');
      const asked = await phone.stopAt('/oauth/v2/authorize', () =>
        phone.submit(page, 'form[action="/auth/signin/zitadel"]'),
      );
      expect(asked.searchParams.get('prompt')).toBe('login');
    },
  );

  it('makes the other browser sign in with prompt=login, even with a form that was opened before', async () => {
    const open = await phone.get('/auth/login?prompt=select_account');
    await laptop.submit(await laptop.get('/profile'), `form[action="${EVERYWHERE}"]`);
    const response = await phone.post('/auth/signin/zitadel', csrfFrom(open));
    expect(new URL(response.headers['location'] ?? '').searchParams.get('prompt')).toBe('login');
  });

  it('shows before and after it that other browsers stay signed in at Zitadel', async () => {
    const profile = await laptop.get('/profile');
    expect(textOf(profile)).toContain('Other browsers stay signed in at Zitadel');
    const page = await laptop.submit(profile, `form[action="${EVERYWHERE}"]`);
    expect(textOf(page)).toContain('in every browser');
    expect(textOf(page)).toContain('In other browsers you may still be signed in at Zitadel');
  });

  it('needs the CSRF token of the form: 403 without it', async () => {
    for (const fields of [{}, { csrfToken: 'wrong' }, csrfFrom(await bob.get('/profile'))])
      expect((await laptop.post(EVERYWHERE, fields as Record<string, string>)).status).toBe(403);
    expect(await alive()).toEqual([true, true, true]);
  });

  it('is not started by a GET', async () => {
    expect((await laptop.get(EVERYWHERE)).status).toBeGreaterThanOrEqual(400);
    expect(await alive()).toEqual([true, true, true]);
  });

  it('without a session ends no session and leads to the login page', async () => {
    const stranger = app.browser();
    const response = await stranger.post(EVERYWHERE, csrfFrom(await stranger.get('/auth/login')));
    expect([response.status, response.headers['location']]).toEqual([303, '/auth/login']);
    expect(await alive()).toEqual([true, true, true]);
  });

  it.each([
    ['refuses a refresh', { status: 400 }],
    ['does not respond', { delayMs: 30_000 }],
  ])('refreshes no tokens that are due: the provider %s', async (_name, fault) => {
    laptop = app.browser();
    const page = await app.signIn(laptop, { tokenAnswer: { expires_in: 1 } });
    moveTime(1_050);
    app.provider.fault(TOKEN, fault);
    try {
      const before = app.provider.requestsTo(TOKEN).length;
      const response = await laptop.post(EVERYWHERE, csrfFrom(page));
      expect([response.status, response.headers['location']]).toEqual([
        303,
        expect.stringContaining('/oidc/v1/end_session'),
      ]);
      expect(app.provider.requestsTo(TOKEN)).toHaveLength(before);
      expect(await alive()).toEqual([false, false, true]);
    } finally {
      app.provider.fault(TOKEN, null);
    }
  });
});
