import { expect, describe, it } from '@jest/globals';
import { signIn } from './support/sign-in.js';
import { startApp } from './support/start-app.js';

const METADATA = 'urn:zitadel:iam:user:metadata';
const OWNER = 'urn:zitadel:iam:user:resourceowner';
const ROLES = 'urn:zitadel:iam:org:projects:roles';
const usual = ['openid', 'profile', 'email', 'offline_access', OWNER, ROLES];
const api = { API_URL: 'http://localhost:9', IDP_PROJECT_ID: '320000000000000100' };
const audience = 'urn:zitadel:iam:org:project:id:320000000000000100:aud';
const own = { ZITADEL_SCOPES: ' openid  offline_access ' };

/** What a sign-in asks for, and what the program knows of the user afterwards. */
async function signedInWith(env: Record<string, string>, login = '/auth/login') {
  const app = await startApp({ env });
  try {
    const browser = app.browser();
    const page = await signIn(browser, 'alice@acme.example', login);
    const asked = browser.answers.find(({ url }) => url.pathname === '/oauth/v2/authorize')?.url;
    const session = await browser.get('/auth/session');
    return {
      scopes: asked?.searchParams.get('scope')?.split(' '),
      path: page.url.pathname,
      user: (JSON.parse(session.text) as { user: Record<string, unknown> }).user,
    };
  } finally {
    await app.close();
  }
}

describe('a sign-in', () => {
  it.each([
    ['identity, roles, organization and metadata', {}, [...usual, METADATA]],
    ['no metadata where the token goes to an API', api, [...usual, audience]],
    [
      'metadata there if that is said',
      { ...api, ZITADEL_USER_METADATA: 'true' },
      [...usual, METADATA, audience],
    ],
    ['no metadata if that is said', { ZITADEL_USER_METADATA: 'false' }, usual],
    ['the scopes of ZITADEL_SCOPES alone', own, ['openid', 'offline_access']],
    ['these and the audience of the API', { ...own, ...api }, ['openid', 'offline_access', audience]],
    ['these and metadata', { ...own, ZITADEL_USER_METADATA: 'true' }, ['openid', 'offline_access', METADATA]],
  ])('asks for %s', async (_what, env, scopes) => {
    expect((await signedInWith(env)).scopes).toEqual(scopes);
  });

  it('works with openid alone: somebody has a name from nowhere, and no refresh token', async () => {
    const { user, path } = await signedInWith({ ZITADEL_SCOPES: 'openid' });
    expect([path, user['name'], user['metadata']]).toEqual(['/profile', null, {}]);
  });

  it('for an organization asks for the claims that its check needs, whatever ZITADEL_SCOPES has', async () => {
    const { scopes, path } = await signedInWith(own, '/auth/login?organization=acme.example');
    expect(scopes).toEqual([
      'openid',
      'offline_access',
      OWNER,
      'urn:zitadel:iam:org:domain:primary:acme.example',
    ]);
    expect(path).toBe('/profile');
  });
});
