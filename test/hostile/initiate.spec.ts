import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const AUTHORIZE = '/oauth/v2/authorize';

let app: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());

const initiate = (query: Record<string, string>) => `/auth/initiate?${new URLSearchParams(query).toString()}`;

describe('a third-party initiated login', () => {
  it('redirects to the authorization endpoint at once with the login_hint', async () => {
    const browser = app.browser();
    const page = await browser.get(initiate({ iss: app.provider.issuer, login_hint: 'bob' }));
    expect(page.path[1]?.pathname).toBe(AUTHORIZE);
    expect(page.path[1]?.searchParams.get('login_hint')).toBe('bob');
    expect(page.path[1]?.searchParams.get('code_challenge_method')).toBe('S256');
    expect(page.url.pathname).toBe('/profile');
    expect(await app.session(browser)).toMatchObject({ user: { name: 'Bob Baker' } });
  });

  it('returns to target_link_uri with its query', async () => {
    const target = `${app.origin}/profile?tab=roles&x=%26`;
    const page = await app.browser().get(initiate({ iss: app.provider.issuer, target_link_uri: target }));
    expect(page.url.href).toBe(target);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'does not return to %s',
    async (target) => {
      const page = await app.browser().get(initiate({ iss: app.provider.issuer, target_link_uri: target }));
      expect(page.url.href).toBe(`${app.origin}/profile`);
    },
  );

  it.each([
    ['of another provider', { iss: 'https://evil.example' }],
    ['with a suffix', { iss: 'SLASH' }],
    ['missing', {}],
  ])('gets 400 without a redirect with iss %s', async (_name, query: Record<string, string>) => {
    const browser = app.browser();
    const iss = query['iss'] === 'SLASH' ? `${app.provider.issuer}/x` : query['iss'];
    const page = await browser.get(initiate({ ...(iss ? { iss } : {}), login_hint: 'alice' }));
    expect(page.status).toBe(400);
    expect(page.path).toHaveLength(1);
    expect(await app.session(browser)).toBeNull();
  });

  it('passes on no other parameter than iss, login_hint and target_link_uri', async () => {
    const browser = app.browser();
    const authorize = await browser.stopAt(AUTHORIZE, () =>
      browser.get(
        initiate({
          iss: app.provider.issuer,
          scope: 'evil',
          redirect_uri: 'https://evil.example/',
          client_id: 'evil',
          state: 'evil',
        }),
      ),
    );
    expect(authorize.searchParams.toString()).not.toContain('evil');
  });
});
