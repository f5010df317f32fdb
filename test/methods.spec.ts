import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loggedIn } from './support/logged-in.js';
import { startApp, type RunningApp } from './support/start-app.js';

const READ = ['GET', 'HEAD'];

/** Every path and its methods. */
const addresses: Record<string, string[]> = {
  '/': READ,
  '/profile': READ,
  '/profile/live': READ,
  '/profile/api': READ,
  '/admin': READ,
  '/danger': [...READ, 'POST'],
  '/api/v1/me': [...READ, 'POST'],
  '/api-json': READ,
  '/auth/login': READ,
  '/auth/error': READ,
  '/auth/userinfo': [...READ, 'POST'],
  '/auth/organization': ['POST'],
  '/auth/initiate': READ,
  '/auth/start': READ,
  '/auth/fresh-sign-in': READ,
  '/favicon.ico': READ,
  '/auth/logout': ['POST'],
  '/auth/signout': ['POST'],
  '/auth/logout/everywhere': ['POST'],
  '/auth/logout/callback': READ,
  '/auth/logout/success': READ,
  '/auth/logout/error': READ,
  // Responds with 400 itself to an invalid request (OpenID Connect Back-Channel Logout 2.8).
  '/auth/backchannel-logout': [...READ, 'POST', 'PUT', 'PATCH', 'DELETE'],
  '/auth/csrf': READ,
  '/auth/providers': READ,
  '/auth/session': [...READ, 'POST'],
  '/auth/signin/zitadel': [...READ, 'POST'],
  '/auth/callback': READ,
  '/auth/callback/zitadel': READ,
  '/health/live': READ,
  '/health/ready': READ,
  '/static/app.css': READ,
  '/static/app.js': READ,
};

const wrong = Object.entries(addresses).flatMap(([path, allowed]) =>
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
    .filter((method) => !allowed.includes(method))
    .map((method) => ({ method, path, allowed })),
);

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const methodsIn = (allow: string | null | undefined) => (allow ?? '').split(/,\s*/).filter(Boolean).sort();

describe('a method that a path does not support', () => {
  it.each(wrong)(
    'gets 405 with Allow as a page in a browser: $method $path',
    async ({ method, path, allowed }) => {
      const response = await app.browser().request(method, new URL(path, app.origin));
      expect(response.status).toBe(405);
      expect(methodsIn(response.headers['allow'])).toEqual([...allowed].sort());
      expect(response.headers['content-type']).toContain('text/html');
      expect(response.text).toContain('That does not work here');
      expect(response.text).toContain('405');
    },
  );

  it.each(wrong)(
    'gets 405 with Allow as JSON for a program: $method $path',
    async ({ method, path, allowed }) => {
      const answer = await fetch(app.origin + path, { method, redirect: 'manual' });
      expect(answer.status).toBe(405);
      expect(methodsIn(answer.headers.get('allow'))).toEqual([...allowed].sort());
      expect(await answer.json()).toMatchObject({
        statusCode: 405,
        message: expect.stringContaining(allowed[0] ?? ''),
      });
    },
  );

  it('is one for somebody who is signed in, too, and ends nothing', async () => {
    const browser = await loggedIn(app);
    const response = await browser.request('DELETE', new URL('/profile', app.origin));
    expect(response.status).toBe(405);
    expect(response.text).toContain('Log out');
    expect((await browser.get('/profile')).status).toBe(200);
  });
});

describe('a method that a path supports', () => {
  const right = Object.entries(addresses).flatMap(([path, allowed]) =>
    allowed.map((method) => ({ method, path })),
  );

  it.each(right)('does not get 405: $method $path', async ({ method, path }) => {
    const answer = await fetch(app.origin + path, { method, redirect: 'manual' });
    expect(answer.status).not.toBe(405);
    expect(answer.headers.has('allow')).toBe(false);
  });
});

describe('an unknown path', () => {
  it.each(
    ['GET', 'POST', 'PUT', 'DELETE'].flatMap((method) =>
      [
        '/no/such/page',
        '/auth/zitadel-events',
        '/profile/none',
        '/auth/nonsense',
        '/auth/callback/other',
      ].map((path) => ({
        method,
        path,
      })),
    ),
  )('gets 404 for every method: $method $path', async ({ method, path }) => {
    const answer = await fetch(app.origin + path, { method });
    expect(answer.status).toBe(404);
    expect(answer.headers.has('allow')).toBe(false);
  });
});

it('the table of methods names every route', () => {
  const { router } = app.app.getHttpAdapter().getInstance() as {
    router: { stack: { route?: { path: string } }[] };
  };
  const routes = router.stack.flatMap(({ route }) => route?.path ?? []);
  // A path that returns 404 must not reveal its methods either: events have no key here.
  const hidden = ['/metrics', '/auth/zitadel-events'];
  expect(
    routes.filter(
      (path) => !path.startsWith('/auth/:action') && !hidden.includes(path) && !(path in addresses),
    ),
  ).toEqual([]);
});
