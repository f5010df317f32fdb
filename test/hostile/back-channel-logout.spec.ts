import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { now } from '../support/now.js';
import type { Browser } from '../support/browser.js';
import type { TokenMutation } from '../support/hostile/mutation.js';
import { people } from '../support/hostile/people.js';
import { broken, byHmac, byNobody, byProvider, byStranger, pemOf } from '../support/hostile/signers.js';
import { startTrap } from '../support/hostile/trap.js';
import { moveTime } from '../support/move-time.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { until } from '../support/until.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let app: HostileApp;
let browser: Browser;
beforeAll(async () => {
  app = await startHostileApp({
    provider: {
      algorithms: ['RS256', 'ES256'],
      metadata: () => ({ id_token_signing_alg_values_supported: ['RS256'] }),
    },
  });
});
afterAll(() => app.close());
beforeEach(async () => {
  browser = app.browser();
  await app.signIn(browser);
});

const post = (body: string, contentType = 'application/x-www-form-urlencoded') =>
  fetch(`${app.origin}/auth/backchannel-logout`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  });
const send = (token: string) => post(new URLSearchParams({ logout_token: token }).toString());

async function expectAccepted(mutation: TokenMutation = {}) {
  const response = await send(await app.provider.logoutToken(mutation));
  expect(await response.text()).not.toContain('error');
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toContain('no-store');
  expect(await app.session(browser)).toBeNull();
}

async function expectRefused(token: string) {
  const response = await send(token);
  expect(response.status).toBe(400);
  expect(response.headers.get('cache-control')).toContain('no-store');
  expect(await response.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) });
  expect(await app.session(browser)).not.toBeNull();
}

const expectMutationRefused = async (mutation: TokenMutation) =>
  expectRefused(await app.provider.logoutToken(mutation));

describe('a back-channel logout request', () => {
  it('may have unknown parameters and claims', async () => {
    const token = await app.provider.logoutToken({ claims: { ignored_claim: 'x' } });
    const response = await post(
      new URLSearchParams({ ignored_parameter: 'x', logout_token: token }).toString(),
    );
    expect(response.status).toBe(200);
    expect(await app.session(browser)).toBeNull();
  });

  it.each([
    ['a GET', 'GET', '', ''],
    ['JSON', 'POST', 'application/json', 'json'],
    ['text', 'POST', 'text/plain', 'form'],
    ['an empty form', 'POST', 'application/x-www-form-urlencoded', ''],
    ['no body', 'POST', '', ''],
    ['a form without the token', 'POST', 'application/x-www-form-urlencoded', 'other=1'],
    ['a form with an empty token', 'POST', 'application/x-www-form-urlencoded', 'logout_token='],
    ['a form with two tokens', 'POST', 'application/x-www-form-urlencoded', 'two'],
  ])('that is %s gets 400', async (_name, method, contentType, kind) => {
    const token = await app.provider.logoutToken();
    const bodies: Record<string, string> = {
      json: JSON.stringify({ logout_token: token }),
      form: `logout_token=${token}`,
      two: `logout_token=${token}&logout_token=${token}`,
    };
    const query = method === 'GET' ? `?logout_token=${token}` : '';
    const response = await fetch(`${app.origin}/auth/backchannel-logout${query}`, {
      method,
      headers: contentType ? { 'content-type': contentType } : {},
      ...(method === 'POST' && kind ? { body: bodies[kind] ?? kind } : {}),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    expect(response.headers.get('cache-control')).toContain('no-store');
    expect(await app.session(browser)).not.toBeNull();
  });

  it('needs no CSRF token and may come from any origin', async () => {
    const response = await fetch(`${app.origin}/auth/backchannel-logout`, {
      method: 'POST',
      headers: { origin: app.provider.issuer },
      body: new URLSearchParams({ logout_token: await app.provider.logoutToken() }),
    });
    expect(response.status).toBe(200);
  });
});

describe('a logout token', () => {
  it.each([
    ['alg none', byNobody()],
    ['alg NONE', byNobody('NONE')],
    ['HS256 and the public key', byHmac(pemOf)],
    ['ES256, which has a published key but is not in the metadata', byProvider('ES256')],
    ['the key of a stranger', byStranger()],
    ['a changed signature', broken],
  ])('signed with %s gets 400', (_name, sign) => expectMutationRefused({ sign }));

  it('signed with the key of its jku header gets 400, and jku is not requested', async () => {
    const trap = await startTrap();
    try {
      await expectMutationRefused({ header: { jku: `${trap.origin}/keys` }, sign: byStranger() });
      expect(trap.visits).toEqual([]);
    } finally {
      await trap.close();
    }
  });

  it('signed with an algorithm that the metadata list but ID tokens do not use gets 400', async () => {
    const both = await startHostileApp({
      provider: {
        algorithms: ['RS256', 'ES256'],
        metadata: () => ({ id_token_signing_alg_values_supported: ['RS256', 'ES256'] }),
      },
    });
    try {
      const jar = both.browser();
      await both.signIn(jar);
      const statusFor = async (alg: string) => {
        const token = await both.provider.logoutToken({ sign: byProvider(alg) });
        const body = new URLSearchParams({ logout_token: token });
        return (await fetch(`${both.origin}/auth/backchannel-logout`, { method: 'POST', body })).status;
      };
      expect(await statusFor('ES256')).toBe(400);
      expect(await both.session(jar)).not.toBeNull();
      expect(await statusFor('RS256')).toBe(200);
    } finally {
      await both.close();
    }
  });

  it.each(['nonsense', 'a.b.c', 'eyJhbGciOiJSUzI1NiJ9.e30.', '..'])('of the text "%s" gets 400', (token) =>
    expectRefused(token),
  );
});

describe('the claims of a logout token', () => {
  it.each([
    ['another iss', { claims: ({ iss }) => ({ iss: `${String(iss)}INVALID` }) }],
    ['no iss', { claims: { iss: undefined } }],
    ['another aud', { claims: ({ aud }) => ({ aud: `${String(aud)}INVALID` }) }],
    ['no aud', { claims: { aud: undefined } }],
  ] as [string, TokenMutation][])('get 400 with %s', (_name, mutation) => expectMutationRefused(mutation));

  it('get 200 with aud as text', () => expectAccepted({ claims: ({ aud }) => ({ aud: [aud].flat()[0] }) }));

  it.each([
    ['no events', { claims: { events: undefined } }],
    ['events as a list', { claims: { events: [EVENT] } }],
    ['events as text', { claims: { events: EVENT } }],
    ['events null', { claims: { events: null } }],
    ['another event', { claims: { events: { 'http://schemas.openid.net/event/foobar': {} } } }],
    ['the event true', { claims: { events: { [EVENT]: true } } }],
    ['the event as text', { claims: { events: { [EVENT]: 'yes' } } }],
    ['the event as a list', { claims: { events: { [EVENT]: [] } } }],
    ['a nonce', { claims: { nonce: 'n' } }],
    ['an empty nonce', { claims: { nonce: '' } }],
    ['neither sub nor sid', { claims: { sub: undefined, sid: undefined } }],
    ['a sid that is not text', { claims: { sub: undefined, sid: 1 } }],
    ['a sub that is not text', { claims: { sub: 1, sid: undefined } }],
  ] as [string, TokenMutation][])('get 400 with the structural error: %s', (_name, mutation) =>
    expectMutationRefused(mutation),
  );

  it('get 200 with another event beside the logout event', () =>
    expectAccepted({ claims: { events: { [EVENT]: {}, 'https://example.org/other': {} } } }));

  it.each([
    ['no iat', { claims: { iat: undefined } }],
    ['an iat that is not a number', { claims: { iat: 'now' } }],
    ['an iat an hour ago', { claims: () => ({ iat: now() - 3_600, exp: undefined }) }],
    ['an iat in an hour', { claims: () => ({ iat: now() + 3_600, exp: now() + 4_000 }) }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['an exp ten minutes ago', { claims: () => ({ iat: now() - 900, exp: now() - 600 }) }],
    ['an exp that is not a number', { claims: { exp: 'later' } }],
  ] as [string, TokenMutation][])('get 400 with the time or identifier: %s', (_name, mutation) =>
    expectMutationRefused(mutation),
  );

  it('get 400 when the same token is sent again', async () => {
    const token = await app.provider.logoutToken();
    expect((await send(token)).status).toBe(200);
    expect((await send(token)).status).toBe(400);
  });

  it('get 400 with the jti of an accepted token', async () => {
    const jti = crypto.randomUUID();
    expect((await send(await app.provider.logoutToken({ claims: { jti } }))).status).toBe(200);
    expect((await send(await app.provider.logoutToken({ claims: { jti } }))).status).toBe(400);
  });

  it('get 200 with the jti of a refused token', async () => {
    const jti = crypto.randomUUID();
    await expectMutationRefused({ claims: { jti }, sign: byStranger() });
    await expectAccepted({ claims: { jti } });
  });
});

describe('the typ of a logout token', () => {
  it.each(['JWT', 'logout+jwt', 'LOGOUT+JWT', 'application/logout+jwt', undefined])(
    'is accepted: %s',
    (typ) => expectAccepted({ header: { typ } }),
  );

  it.each(['at+jwt', 'id_token', 'secevent+jwt', 'JOSE', '', 1])('is refused with 400: %j', (typ) =>
    expectMutationRefused({ header: { typ } }),
  );

  it('distinguishes it from an ID token, which gets 400', () =>
    expectRefused(app.provider.lastLogin.idTokens[0] ?? ''));
});

describe('the response to a logout token', () => {
  it('is 200 with no-store, and the session has ended for the next request', async () => {
    const cookie = await browser.cookieHeader();
    const response = await send(await app.provider.logoutToken());
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('no-store');
    const profile = await fetch(`${app.origin}/profile`, { headers: { cookie, accept: 'application/json' } });
    expect(profile.status).toBe(401);
    expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('is 400 with an error in JSON when the token is invalid', () =>
    expectMutationRefused({ claims: { iss: 'x' } }));

  it('is 200 when no session has its sid', async () => {
    const token = await app.provider.logoutToken({ claims: { sid: '999999999999999999', sub: undefined } });
    expect((await send(token)).status).toBe(200);
    expect(await app.session(browser)).not.toBeNull();
  });
});

describe('back-channel logout', () => {
  async function threeJars() {
    const jars = { phone: app.browser(), laptop: app.browser(), bob: app.browser() };
    await app.signIn(jars.phone);
    const phone = app.provider.lastLogin;
    await app.signIn(jars.laptop);
    await app.signIn(jars.bob, { person: people.bob });
    const alive = async () => {
      const sessions = await Promise.all(Object.values(jars).map((jar) => app.session(jar)));
      return sessions.map((session) => session !== null);
    };
    return { ...jars, alive, phoneLogin: phone };
  }

  it('with sid alone ends that session', async () => {
    const { alive, phoneLogin } = await threeJars();
    expect(await alive()).toEqual([true, true, true]);
    const token = await app.provider.logoutToken({ claims: { sub: undefined } }, phoneLogin);
    expect((await send(token)).status).toBe(200);
    expect(await alive()).toEqual([false, true, true]);
  });

  it('leads to one revocation of the refresh token when the session cookie is next sent', async () => {
    const { phone, alive, phoneLogin } = await threeJars();
    expect((await send(await app.provider.logoutToken({}, phoneLogin))).status).toBe(200);
    const revoked = () => app.provider.revokedTokens();
    expect(revoked()).not.toContain(phoneLogin.refreshTokens[0]);
    for (let view = 0; view < 3; view++) await phone.get('/');
    expect(await alive()).toEqual([false, true, true]);
    await until(() => revoked().includes(phoneLogin.refreshTokens[0]));
    expect(revoked().filter((token) => token === phoneLogin.refreshTokens[0])).toHaveLength(1);
  });

  it('with sub alone ends all sessions of that user', async () => {
    const { alive, phoneLogin } = await threeJars();
    const token = await app.provider.logoutToken({ claims: { sid: undefined } }, phoneLogin);
    expect((await send(token)).status).toBe(200);
    expect(await alive()).toEqual([false, false, true]);
  });

  it('with sid and sub, as Zitadel sends, ends that session', async () => {
    const { alive, phoneLogin } = await threeJars();
    expect((await send(await app.provider.logoutToken({}, phoneLogin))).status).toBe(200);
    expect(await alive()).toEqual([false, true, true]);
  });

  it('with sub alone does not end sessions that begin afterwards', async () => {
    const token = await app.provider.logoutToken({ claims: { sid: undefined } });
    expect((await send(token)).status).toBe(200);
    expect(await app.session(browser)).toBeNull();
    await app.signIn(browser);
    expect(await app.session(browser)).not.toBeNull();
  });

  it('with sub alone does not end sessions that began after the iat of the token', async () => {
    const iat = now() - 300;
    const token = await app.provider.logoutToken({ claims: { sid: undefined, iat } });
    expect((await send(token)).status).toBe(200);
    expect(await app.session(browser)).not.toBeNull();
  });

  it('ends a session whose tokens were refreshed in the meantime', async () => {
    const renewed = app.browser();
    await app.signIn(renewed, { tokenAnswer: { expires_in: 1 } });
    const { lastLogin } = app.provider;
    moveTime(1_100);
    await renewed.get('/profile');
    expect(lastLogin.refreshTokens).toHaveLength(2);
    expect(
      (await send(await app.provider.logoutToken({ claims: { sub: undefined } }, lastLogin))).status,
    ).toBe(200);
    expect(await app.session(renewed)).toBeNull();
  });
});
