import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const AUTHORIZE = '/oauth/v2/authorize';

let app: HostileApp;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());

const initiate = (query: Record<string, string>) => `/auth/initiate?${new URLSearchParams(query).toString()}`;

describe('a login that the provider begins', () => {
  it('starts the flow at once, for the person hinted at', async () => {
    const browser = app.browser();
    const page = await browser.get(initiate({ iss: app.provider.issuer, login_hint: 'bob' }));
    expect(page.path[1]?.pathname).toBe(AUTHORIZE);
    expect(page.path[1]?.searchParams.get('login_hint')).toBe('bob');
    expect(page.path[1]?.searchParams.get('code_challenge_method')).toBe('S256');
    expect(page.url.pathname).toBe('/profile');
    expect(await app.session(browser)).toMatchObject({ user: { name: 'Bob Baker' } });
  });

  it('ends at the target, with its query', async () => {
    const target = `${app.origin}/profile?tab=roles&x=%26`;
    const page = await app.browser().get(initiate({ iss: app.provider.issuer, target_link_uri: target }));
    expect(page.url.href).toBe(target);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'does not end at %s',
    async (target) => {
      const page = await app.browser().get(initiate({ iss: app.provider.issuer, target_link_uri: target }));
      expect(page.url.href).toBe(`${app.origin}/profile`);
    },
  );

  it.each([
    ['of another provider', { iss: 'https://evil.example' }],
    ['with a slash too many', { iss: 'SLASH' }],
    ['missing', {}],
  ])('starts nothing with iss %s', async (_name, query: Record<string, string>) => {
    const browser = app.browser();
    const iss = query['iss'] === 'SLASH' ? `${app.provider.issuer}/x` : query['iss'];
    const page = await browser.get(initiate({ ...(iss ? { iss } : {}), login_hint: 'alice' }));
    expect(page.status).toBe(400);
    expect(page.path).toHaveLength(1);
    expect(await app.session(browser)).toBeNull();
  });

  it('takes nothing but its three parameters', async () => {
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
