import { afterEach, describe, expect, it } from '@jest/globals';
import { clientId } from '../support/hostile-provider.js';
import type { Mutation, TokenMutation } from '../support/hostile/mutation.js';
import { mutations } from '../support/hostile/mutations.js';
import { people } from '../support/hostile/people.js';
import { byNobody, byProvider } from '../support/hostile/signers.js';
import { moveTime } from '../support/move-time.js';
import { refusalOf, refused, type Reason } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

// Follows the modules of the OpenID Foundation's conformance suite and uses their names.

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/oauth/v2/keys';
const AUTHORIZE = '/oauth/v2/authorize';
const TOKEN = '/oauth/v2/token';
const USERINFO = '/oidc/v1/userinfo';

const started: HostileApp[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((app) => app.close()));
});

async function start(...options: Parameters<typeof startHostileApp>): Promise<HostileApp> {
  const app = await startHostileApp(...options);
  started.push(app);
  return app;
}

/** The called protocol endpoints, in order. */
const calls = (app: HostileApp) =>
  app.provider.requests.map(({ path }) => path).filter((path) => [AUTHORIZE, TOKEN, USERINFO].includes(path));

async function expectFinished(app: HostileApp, mutation?: Mutation) {
  const browser = app.browser();
  const page = await app.signIn(browser, mutation);
  expect(page.url.href).toBe(`${app.origin}/profile`);
  expect(page.status).toBe(200);
  expect(calls(app).slice(-3)).toEqual([AUTHORIZE, TOKEN, USERINFO]);
  expect(await app.session(browser)).toMatchObject({ user: { id: people.alice.sub } });
  return browser;
}

async function expectRejected(app: HostileApp, mutation: Mutation, last: string, reason: Reason) {
  const browser = app.browser();
  const page = await app.signIn(browser, mutation);
  expect(refusalOf(page)).toEqual(refused(reason));
  expect(calls(app).at(-1)).toBe(last);
  expect(await app.session(browser)).toBeNull();
}

describe('oidcc-client-basic-certification-test-plan:', () => {
  it('oidcc-client-test signs the user in with code, token request and userinfo', async () => {
    const app = await start();
    await expectFinished(app);
    const [authorize] = app.provider.requestsTo(AUTHORIZE);
    expect(authorize?.query).toMatchObject({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: `${app.origin}/auth/callback`,
      scope: expect.stringMatching(/\bopenid\b/),
    });
    expect(authorize?.query['max_age'] === '0' && authorize.query['prompt'] === 'none').toBe(false);
    const [token] = app.provider.requestsTo(TOKEN);
    expect(token).toMatchObject({ method: 'POST', query: {} });
    expect(token?.form).toMatchObject({
      grant_type: 'authorization_code',
      client_id: clientId,
      code: app.provider.lastLogin.code,
      redirect_uri: `${app.origin}/auth/callback`,
    });
    const [userinfo] = app.provider.requestsTo(USERINFO);
    expect(userinfo).toMatchObject({
      query: {},
      form: {},
      headers: { authorization: `Bearer ${app.provider.lastLogin.accessTokens[0]}` },
    });
  });

  it.each([
    ['oidcc-client-test-invalid-iss', 'wrong-issuer'],
    ['oidcc-client-test-missing-sub', 'no-sub'],
    ['oidcc-client-test-invalid-aud', 'foreign-audience'],
    ['oidcc-client-test-missing-iat', 'no-iat'],
    ['oidcc-client-test-idtoken-sig-none', 'unsigned'],
    ['oidcc-client-test-invalid-sig-rs256', 'broken-signature'],
    ['oidcc-client-test-nonce-invalid', 'other-nonce'],
  ] as const)('%s is refused without a userinfo request', async (_module, name) => {
    await expectRejected(await start(), mutations[name], TOKEN, 'id_token_invalid');
  });

  it('oidcc-client-test-kid-absent-single-jwks signs the user in', async () => {
    await expectFinished(await start({ provider: { withoutKid: true } }));
  });

  it('oidcc-client-test-kid-absent-multiple-jwks is refused or finds the right key', async () => {
    const algorithms = ['RS256', 'ES256', 'ES256K', 'EdDSA'].flatMap((alg) => [alg, alg, alg]);
    const app = await start({ provider: { withoutKid: true, algorithms } });
    const browser = app.browser();
    const page = await app.signIn(browser);
    const isSignedIn = (await app.session(browser)) !== null;
    if (isSignedIn) expect(page.url.pathname).toBe('/profile');
    else expect(refusalOf(page)).toEqual(refused('id_token_invalid'));

    const wrong = await app.signIn(app.browser(), mutations['signed-by-a-stranger']);
    expect(refusalOf(wrong)).toEqual(refused('id_token_invalid'));
  });

  it('oidcc-client-test-idtoken-sig-rs256 signs the user in', async () => {
    await expectFinished(await start(), { idToken: { sign: byProvider('RS256') } });
  });

  it('oidcc-client-test-userinfo-invalid-sub is refused with userinfo_mismatch', async () => {
    await expectRejected(await start(), mutations['other-sub-in-userinfo'], USERINFO, 'userinfo_mismatch');
  });

  it('oidcc-client-test-scope-userinfo-claims requests the claims and shows them', async () => {
    const app = await start();
    const browser = await expectFinished(app);
    const scopes = app.provider.lastLogin.scope.split(' ');
    expect(scopes).toEqual(expect.arrayContaining(['openid', 'profile', 'email']));
    expect((await browser.get('/profile')).text).toContain(people.alice.email);
  });

  it('oidcc-client-test-client-secret-basic form-encodes client id and secret', async () => {
    const secret = 's3cr:t %+/é&=';
    const app = await start({ env: { ZITADEL_CLIENT_SECRET: secret } });
    await expectFinished(app);
    const [token] = app.provider.requestsTo(TOKEN);
    const [scheme, encoded = ''] = token?.headers.authorization?.split(' ') ?? [];
    const [id, password = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
    expect([scheme, id, rest]).toEqual(['Basic', clientId, []]);
    expect(decodeURIComponent(password.replaceAll('+', ' '))).toBe(secret);
    expect(token?.form['client_secret']).toBeUndefined();
  });
});

describe('oidcc-client-config-certification-test-plan:', () => {
  it('oidcc-client-test-discovery-openid-config fetches and uses the metadata', async () => {
    const app = await start();
    await expectFinished(app);
    expect(app.provider.requests[0]?.path).toBe(DISCOVERY);
  });

  it('oidcc-client-test-discovery-jwks-uri-keys reads the keys from the jwks_uri of the metadata', async () => {
    const keysPath = `${KEYS}/${crypto.randomUUID()}`;
    const app = await start({ provider: { keysPath } });
    await expectFinished(app);
    expect(app.provider.requestsTo(keysPath)).toHaveLength(1);
    expect(app.provider.requestsTo(KEYS)).toEqual([]);
  });

  it('oidcc-client-test-discovery-issuer-mismatch sends no user to the provider', async () => {
    const app = await start({
      provider: { metadata: ({ issuer }) => ({ issuer: `${String(issuer)}INVALID` }) },
    });
    expect(refusalOf(await app.signIn(app.browser()))).toEqual(refused('provider_misconfigured'));
    expect(calls(app)).toEqual([]);
  });

  it('oidcc-client-test-idtoken-sig-none is refused', async () => {
    await expectRejected(await start(), mutations.unsigned, TOKEN, 'id_token_invalid');
  });

  it('oidcc-client-test-signing-key-rotation-just-before-signing fetches the keys again', async () => {
    const app = await start();
    await expectFinished(app);
    await expectFinished(app, mutations['new-key']);
    expect(app.provider.requestsTo(KEYS)).toHaveLength(2);
  });

  it('oidcc-client-test-signing-key-rotation fetches the keys again at the second sign-in', async () => {
    const app = await start();
    await expectFinished(app);
    app.provider.keys.rotate();
    await expectFinished(app);
    expect(app.provider.requestsTo(KEYS)).toHaveLength(2);
  });
});

describe('oidcc-client-rp-initiated-logout-rp-basic:', () => {
  it.each([
    ['oidcc-client-test-rp-init-logout', {}, '/auth/logout/success', 200],
    [
      'oidcc-client-test-rp-init-logout-other-state',
      { state: crypto.randomUUID() },
      '/auth/logout/error',
      400,
    ],
    ['oidcc-client-test-rp-init-logout-no-state', { state: undefined }, '/auth/logout/error', 400],
  ])(
    '%s ends the session and leads to the sign-out page for its state',
    async (_module, logoutReturn, pathname, status) => {
      const app = await start();
      const browser = await expectFinished(app, { logoutReturn });
      const page = await app.logOut(browser);
      const [endSession] = app.provider.requestsTo('/oidc/v1/end_session');
      expect(endSession?.query).toMatchObject({
        id_token_hint: app.provider.lastLogin.idTokens[0],
        post_logout_redirect_uri: `${app.origin}/auth/logout/callback`,
      });
      expect([page.url.pathname, page.status]).toEqual([pathname, status]);
      expect(await app.session(browser)).toBeNull();
    },
  );
});

describe('oidcc-client-back-channel-logout-rp-basic:', () => {
  const module = 'oidcc-client-test-rp-backchannel-rpinitlogout';
  const appended = (name: string) => (claims: Record<string, unknown>) => ({
    [name]: `${String(claims[name])}INVALID`,
  });

  it.each([
    [module, {}, 200],
    [`${module}-alg-none`, { sign: byNobody() }, 400],
    [`${module}-no-event`, { claims: { events: undefined } }, 400],
    [`${module}-wrong-event`, { claims: { events: { 'http://schemas.openid.net/event/foobar': {} } } }, 400],
    [`${module}-with-nonce`, { claims: { nonce: 'n-0S6_WzA2Mj' } }, 400],
    [`${module}-wrong-alg`, { sign: byProvider('ES256') }, 400],
    [`${module}-wrong-aud`, { claims: appended('aud') }, 400],
    [`${module}-wrong-iss`, { claims: appended('iss') }, 400],
  ] as [string, TokenMutation, number][])('%s gets its status', async (_module, mutation, status) => {
    const app = await start({
      provider: {
        algorithms: ['RS256', 'ES256'],
        metadata: () => ({ id_token_signing_alg_values_supported: ['RS256'] }),
      },
    });
    await app.logOut(await expectFinished(app));
    const claims = {
      ignored_claim: 'ignored',
      ...(typeof mutation.claims === 'object' ? mutation.claims : {}),
    };
    const token = await app.provider.logoutToken(
      typeof mutation.claims === 'function' ? mutation : { ...mutation, claims },
    );
    const response = await fetch(`${app.origin}/auth/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token, ignored_parameter: 'ignored' }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toContain('no-store');
  });
});

describe('third-party initiated login:', () => {
  it('oidcc-client-test-3rd-party-init-login starts the flow', async () => {
    const app = await start();
    const browser = app.browser();
    const target = `${app.origin}/profile?from=there`;
    const query = new URLSearchParams({
      iss: app.provider.issuer,
      login_hint: 'bob',
      target_link_uri: target,
    });
    expect((await browser.get(`/auth/initiate?${query.toString()}`)).url.href).toBe(target);
    expect(calls(app)).toEqual([AUTHORIZE, TOKEN, USERINFO]);
    expect(app.provider.requestsTo(AUTHORIZE)[0]?.query['login_hint']).toBe('bob');
  });
});

describe('refresh:', () => {
  async function renewed(idToken?: TokenMutation) {
    const app = await start();
    const browser = await expectFinished(app, {
      ...mutations['soon-due'],
      ...(idToken ? { refresh: { idToken } } : {}),
    });
    moveTime(1_050);
    const answer = await browser.get('/auth/userinfo', { 'sec-fetch-mode': 'cors' });
    return { app, browser, answer };
  }

  it('oidcc-client-test-refresh-token refreshes once and calls userinfo with the new access token', async () => {
    const { app, answer } = await renewed();
    expect(answer.status).toBe(200);
    expect(app.provider.grants('refresh_token')).toHaveLength(1);
    expect(app.provider.requestsTo(USERINFO).at(-1)?.headers.authorization).toBe(
      `Bearer ${app.provider.lastLogin.accessTokens[1]}`,
    );
  });

  it.each([
    ['oidcc-client-test-refresh-token-invalid-issuer', { claims: { iss: 'https://other.example' } }],
    ['oidcc-client-test-refresh-token-invalid-sub', { claims: { sub: people.mallory.sub } }],
  ])('%s ends the session without a further request', async (_module, idToken) => {
    const { app, browser, answer } = await renewed(idToken);
    expect(answer.status).toBe(401);
    expect(calls(app).at(-1)).toBe(TOKEN);
    expect(await app.session(browser)).toBeNull();
  });
});

describe('FAPI2 client modules that apply to every client:', () => {
  const module = 'fapi2-security-profile-final-client-test';
  const advertised = {
    provider: { metadata: () => ({ authorization_response_iss_parameter_supported: true }) },
  };

  it.each([
    ['invalid-authorization-response-iss', { iss: 'https://other.example' }, 'check_failed'],
    ['remove-authorization-response-iss', { iss: undefined }, 'check_failed'],
    ['ensure-authorization-response-with-invalid-state-fails', { state: 'invalid' }, 'state_invalid'],
    ['ensure-authorization-response-with-invalid-missing-state-fails', { state: undefined }, 'state_invalid'],
  ] as const)(`${module}-%s refuses the authorization response`, async (_module, change, reason) => {
    const app = await start(advertised);
    await expectRejected(app, { callback: { iss: app.provider.issuer, ...change } }, AUTHORIZE, reason);
  });

  it.each([
    ['invalid-missing-nonce', mutations['no-nonce']],
    ['invalid-missing-exp', mutations['no-exp']],
    ['invalid-expired-exp', mutations['long-expired']],
    ['invalid-secondary-aud', mutations['foreign-audience-beside']],
    ['invalid-null-alg', mutations.unsigned],
    ['invalid-alternate-alg', mutations['signed-with-public-key']],
  ] as [string, Mutation][])(`${module}-%s refuses the ID token`, async (_module, mutation) => {
    await expectRejected(await start(), mutation, TOKEN, 'id_token_invalid');
  });

  it.each([
    ['valid-aud-as-array', mutations['own-audience-alone']],
    ['token-type-case-insensitivity', mutations['odd-bearer']],
    ['token-endpoint-response-without-expires_in', mutations['no-expires-in']],
  ] as [string, Mutation][])(`${module}-%s signs the user in`, async (_module, mutation) => {
    await expectFinished(await start(), mutation);
  });

  it(`${module}-discovery-issuer-mismatch sends no user to the provider`, async () => {
    const app = await start({ provider: { metadata: () => ({ issuer: 'https://other.example' }) } });
    expect(refusalOf(await app.signIn(app.browser()))).toEqual(refused('provider_misconfigured'));
    expect(calls(app)).toEqual([]);
  });
});

describe('a mutation named by login_hint', () => {
  it('applies to the one sign-in that has the hint', async () => {
    const app = await start();
    const [good, bad] = [app.browser(), app.browser()];
    const refusedPage = await bad.get(
      `/auth/initiate?${new URLSearchParams({ iss: app.provider.issuer, login_hint: 'wrong-issuer' }).toString()}`,
    );
    expect(refusalOf(refusedPage)).toEqual(refused('id_token_invalid'));
    expect((await app.signIn(good)).url.pathname).toBe('/profile');
  });
});
