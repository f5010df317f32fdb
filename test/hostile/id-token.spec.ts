import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { now } from '../support/now.js';
import { CompactSign } from 'jose';
import type { Browser } from '../support/browser.js';
import type { Mutation } from '../support/hostile/mutation.js';
import { mutations } from '../support/hostile/mutations.js';
import { people } from '../support/hostile/people.js';
import { newKey } from '../support/hostile/provider-keys.js';
import {
  byHmac,
  byNobody,
  byProvider,
  byStranger,
  byUnknownKey,
  cutOff,
  forged,
} from '../support/hostile/signers.js';
import { startTrap } from '../support/hostile/trap.js';
import { moveTime } from '../support/move-time.js';
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { until } from '../support/until.js';

const USERINFO = '/oidc/v1/userinfo';
const CLIENT_SECRET = 'a client secret that signs nothing';
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

let app: HostileApp;
/** its metadata list every accepted algorithm, and it has a key for each */
let versatile: HostileApp;
beforeAll(async () => {
  app = await startHostileApp({
    env: { ZITADEL_CLIENT_SECRET: CLIENT_SECRET },
    provider: {
      algorithms: ['RS256', 'ES256', 'PS256'],
      metadata: () => ({ id_token_signing_alg_values_supported: ['RS256'] }),
    },
  });
  versatile = await startHostileApp({
    provider: { algorithms, metadata: () => ({ id_token_signing_alg_values_supported: algorithms }) },
  });
});
afterAll(() => Promise.all([app.close(), versatile.close()]));

async function expectAccepted(mutation: Mutation, running = app) {
  const browser = running.browser();
  const page = await running.signIn(browser, mutation);
  expect(page.url.pathname).toBe('/profile');
  expect(await running.session(browser)).toMatchObject({ user: { id: people.alice.sub } });
}

async function expectRefused(mutation: Mutation, running = app) {
  const browser = running.browser();
  const before = running.provider.requestsTo(USERINFO).length;
  const page = await running.signIn(browser, mutation);
  expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
  expect(running.provider.requestsTo(USERINFO)).toHaveLength(before);
  expect(await running.session(browser)).toBeNull();
}

/** A change of the ID token's claims. */
const claims = (patch: NonNullable<Mutation['idToken']>['claims']): Mutation => ({
  idToken: { claims: patch ?? {} },
});

describe('the ID token of a sign-in', () => {
  it('is accepted with several audiences and azp, as Zitadel issues it', () => expectAccepted({}));

  it('is required', async () => {
    const page = await app.signIn(app.browser(), { tokenAnswer: { id_token: undefined } });
    expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
  });

  it.each(['', 'nonsense', 'a.b.c', 'eyJhbGciOiJSUzI1NiJ9..', 42, { alg: 'RS256' }])(
    'is refused when it is %j',
    async (idToken) => {
      const page = await app.signIn(app.browser(), { tokenAnswer: { id_token: idToken } });
      expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
    },
  );
});

describe('the signature of an ID token', () => {
  it.each([
    ['made with an unpublished key under the kid of a published one', mutations['signed-by-a-stranger']],
    ['made with an unpublished key under an unknown kid', { idToken: { sign: byUnknownKey } }],
    ['changed', mutations['broken-signature']],
    ['missing', { idToken: { sign: cutOff } }],
    ['that of other claims', { idToken: { sign: forged({ sub: people.mallory.sub }) } }],
  ] as [string, Mutation][])('is refused when it is %s', (_name, mutation) => expectRefused(mutation));

  it('is refused when its header has an unknown critical parameter', () =>
    expectRefused({
      idToken: {
        sign: (header, payload, keys) => {
          const key = keys.for();
          return new CompactSign(Buffer.from(JSON.stringify(payload)))
            .setProtectedHeader({
              ...header,
              alg: key.alg,
              kid: key.kid ?? '',
              crit: ['urgent'],
              urgent: true,
            })
            .sign(key.privateKey, { crit: { urgent: true } });
        },
      },
    }));
});

describe('the algorithm of an ID token', () => {
  it.each([
    ['none', byNobody()],
    ['None', byNobody('None')],
    ['NONE', byNobody('NONE')],
    ['HS256 with the public key as the secret', mutations['signed-with-public-key'].idToken.sign],
    ['HS256 with the client secret', byHmac(() => CLIENT_SECRET)],
    ['HS512 with the client secret', byHmac(() => CLIENT_SECRET.padEnd(64), 'HS512')],
    [
      'HS256 with the modulus of the public key',
      byHmac((keys) => String(keys.for().publicKey.export({ format: 'jwk' }).n)),
    ],
    ['ES256, published but not in the metadata', byProvider('ES256')],
    ['PS256, published but not in the metadata', byProvider('PS256')],
    ['ES256 under the kid of an RSA key', byStranger('ES256')],
  ])('is refused: %s', (_name, sign) => expectRefused({ idToken: { sign } }));

  it.each(['none', 'HS256'])('is refused even if the metadata list it: %s', async (alg) => {
    const careless = await startHostileApp({
      env: { ZITADEL_CLIENT_SECRET: CLIENT_SECRET },
      provider: { metadata: () => ({ id_token_signing_alg_values_supported: [alg, 'RS256'] }) },
    });
    try {
      const sign = alg === 'none' ? byNobody() : byHmac(() => CLIENT_SECRET);
      await expectRefused({ idToken: { sign } }, careless);
    } finally {
      await careless.close();
    }
  });

  it.each(algorithms)('is accepted when the metadata list it and the key matches: %s', (alg) =>
    // at_hash has another length with other algorithms (OpenID Connect Core 3.1.3.6).
    expectAccepted({ idToken: { claims: { at_hash: undefined }, sign: byProvider(alg) } }, versatile),
  );
});

describe('the iss of an ID token', () => {
  it.each([
    ['the issuer with a suffix', mutations['wrong-issuer']],
    ['the issuer with a trailing slash', claims(({ iss }) => ({ iss: `${String(iss)}/` }))],
    ['the issuer in upper case', claims(({ iss }) => ({ iss: String(iss).toUpperCase() }))],
    ['a list', claims(({ iss }) => ({ iss: [iss] }))],
    ['missing', claims({ iss: undefined })],
  ] as [string, Mutation][])('is refused when it is %s', (_name, mutation) => expectRefused(mutation));
});

describe('the aud and azp of an ID token', () => {
  it.each([
    ['another client', mutations['foreign-audience']],
    [
      'this client with one character more',
      claims(({ azp }) => ({ aud: `${String(azp)}1`, azp: undefined })),
    ],
    ['another client alone with this client as azp', claims({ aud: ['another-client'] })],
    ['another client beside this one, without azp', mutations['foreign-audience-beside']],
    ['several audiences with another client as azp', mutations['foreign-azp']],
    [
      'this client alone with another client as azp',
      claims(({ azp }) => ({ aud: azp, azp: 'another-client' })),
    ],
    ['an empty list', claims({ aud: [] })],
    ['missing', claims({ aud: undefined })],
  ] as [string, Mutation][])('are refused: %s', (_name, mutation) => expectRefused(mutation));

  it.each([
    ['this client in a list', mutations['own-audience-alone']],
    ['this client as text', mutations['own-audience-as-text']],
  ] as [string, Mutation][])('are accepted with %s and no azp', (_name, mutation) =>
    expectAccepted(mutation),
  );
});

describe('the times of an ID token', () => {
  it.each([
    ['ten minutes ago', mutations['long-expired']],
    ['missing', mutations['no-exp']],
    ['not a number', claims({ exp: 'tomorrow' })],
  ] as [string, Mutation][])('are refused with exp %s', (_name, mutation) => expectRefused(mutation));

  it.each([20, 40, 55])('are accepted with exp %i seconds ago (clock tolerance is one minute)', (seconds) =>
    expectAccepted(claims(() => ({ exp: now() - seconds }))),
  );

  it('are refused with exp 65 seconds ago', () => expectRefused(claims(() => ({ exp: now() - 65 }))));

  it('are accepted with nbf in 55 seconds (clock tolerance is one minute)', () =>
    expectAccepted(claims(() => ({ nbf: now() + 55 }))));

  it.each([
    ['missing', mutations['no-iat']],
    ['not a number', claims({ iat: 'yesterday' })],
  ] as [string, Mutation][])('are refused with iat %s', (_name, mutation) => expectRefused(mutation));

  it('are refused with nbf in ten minutes', () => expectRefused(claims(() => ({ nbf: now() + 600 }))));

  it('are accepted with nbf now', () => expectAccepted(claims(() => ({ nbf: now() }))));

  it.each([
    ['an hour ago', () => ({ auth_time: now() - 3_600 })],
    ['missing', () => ({ auth_time: undefined })],
    ['66 s ago', () => ({ auth_time: now() - 66 })],
  ] as const)(
    'are refused for max_age=60 after one retry with prompt=login when auth_time is %s',
    async (_name, patch) => {
      const browser = app.browser();
      app.provider.next(claims(patch));
      app.provider.next(claims(patch));
      const asked = () => app.provider.requestsTo('/oauth/v2/authorize');
      const before = asked().length;
      const page = await stepUp(browser, '60');
      expect(refusalOf(page)).toEqual(refused('login_too_old'));
      expect(await app.session(browser)).toBeNull();
      // The sign-in is repeated once, with prompt=login, and not a third time.
      expect(
        asked()
          .slice(before)
          .map(({ query }) => [query['max_age'], query['prompt']]),
      ).toEqual([
        ['60', undefined],
        ['60', 'login'],
      ]);
      const refreshTokens = app.provider.logins.slice(-2).flatMap((login) => login.refreshTokens);
      await until(() => refreshTokens.every((token) => app.provider.revokedTokens().includes(token)));
      expect(app.provider.revokedTokens()).toEqual(expect.arrayContaining(refreshTokens));
    },
  );

  it.each([
    ['an hour ago at first and now after the retry with prompt=login', [{ auth_time: now() - 3_600 }, {}]],
    ['63 s ago, which is within the tolerance', [{ auth_time: now() - 63 }]],
  ])('are accepted for max_age=60 with auth_time %s', async (_name, patches) => {
    const browser = app.browser();
    for (const patch of patches) app.provider.next(claims(() => patch));
    const page = await stepUp(browser, '60', '/auth/login?callbackUrl=/profile?after=step-up');
    expect(page.url.href).toBe(`${app.origin}/profile?after=step-up`);
    expect(await app.session(browser)).not.toBeNull();
  });

  it('result in interaction_required for max_age=60 with prompt=none when auth_time is an hour ago', async () => {
    app.provider.next(claims(() => ({ auth_time: now() - 3_600 })));
    const page = await app.signIn(app.browser(), undefined, '/auth/login?max_age=60&prompt=none');
    expect(refusalOf(page)).toEqual(refused('interaction_required'));
  });

  it('are not checked without max_age by a late callback, which does not restart the sign-in', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser, {}, '/auth/login?max_age=60');
    browser.forget(/authjs\.login-/);
    expect(refusalOf(await browser.get(callback))).toEqual(refused('login_already_used'));
  });

  it.each([
    ['an hour ago', () => ({ auth_time: now() - 3_600 })],
    ['missing', () => ({ auth_time: undefined })],
  ])(
    'are refused in place of a fresh sign-in with auth_time %s, and the session stays',
    async (_name, patch) => {
      const browser = app.browser();
      await app.signIn(browser);
      const before = await app.session(browser);
      moveTime(400_000);
      app.provider.next(claims(patch));
      app.provider.next(claims(patch));
      expect(refusalOf(await browser.get('/danger'))).toEqual(refused('login_too_old'));
      expect((await app.session(browser))?.user).toEqual(before?.user);
      const page = await browser.get('/danger');
      expect([page.url.pathname, page.status]).toEqual(['/danger', 200]);
    },
  );

  const stepUp = async (browser: Browser, maxAge: string, from = '/auth/login') =>
    browser.submit(await browser.get(from), 'form[action="/auth/signin/zitadel"]', {
      fields: { max_age: maxAge },
    });
});

describe('the sub of an ID token', () => {
  it.each([
    ['missing', mutations['no-sub']],
    ['empty', claims({ sub: '' })],
    ['a number', claims(({ sub }) => ({ sub: Number(sub) }))],
    ['256 characters long', claims({ sub: 'x'.repeat(256) })],
    ['not ASCII', claims({ sub: 'álice' })],
  ] as [string, Mutation][])('is refused when it is %s', (_name, mutation) => expectRefused(mutation));

  it('identifies the user, and the e-mail address does not', async () => {
    const [alice, mallory] = [app.browser(), app.browser()];
    await app.signIn(alice, { person: people.alice });
    await app.signIn(mallory, { person: people.mallory });
    const [first, second] = [await app.session(alice), await app.session(mallory)];
    expect(first?.user['email']).toBe(second?.user['email']);
    expect(first?.user['id']).toBe(people.alice.sub);
    expect(second?.user['id']).toBe(people.mallory.sub);
    expect(second?.user['roles']).toEqual([]);
    expect((await mallory.get('/admin')).status).toBe(403);
  });

  it('must be that of userinfo', async () => {
    const browser = app.browser();
    const page = await app.signIn(browser, mutations['other-sub-in-userinfo']);
    expect(refusalOf(page)).toEqual(refused('userinfo_mismatch'));
    expect(await app.session(browser)).toBeNull();
  });
});

describe('the nonce of an ID token', () => {
  it.each([
    ['changed', mutations['other-nonce']],
    ['missing', mutations['no-nonce']],
    ['empty', claims({ nonce: '' })],
    ['that of an earlier sign-in', claims(() => ({ nonce: app.provider.logins.at(0)?.nonce }))],
  ] as [string, Mutation][])('is refused when it is %s', (_name, mutation) => expectRefused(mutation));
});

describe('the header of an ID token', () => {
  it.each(['jku', 'x5u'])('is never a reason to request %s', async (name) => {
    const trap = await startTrap();
    try {
      await expectRefused({ idToken: { header: { [name]: `${trap.origin}/keys` }, sign: byStranger() } });
      expect(trap.visits).toEqual([]);
    } finally {
      await trap.close();
    }
  });

  it('is no source of a key: jwk is ignored', () =>
    expectRefused({
      idToken: {
        sign: (header, payload) => {
          const key = newKey('RS256');
          const jwk = key.publicKey.export({ format: 'jwk' });
          return new CompactSign(Buffer.from(JSON.stringify(payload)))
            .setProtectedHeader({ ...header, alg: 'RS256', jwk })
            .sign(key.privateKey);
        },
      },
    }));
});

describe('the at_hash of an ID token', () => {
  const hashOf = (text: string) =>
    createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

  it('is refused when it belongs to another access token', () =>
    expectRefused(claims({ at_hash: hashOf('another') })));

  it('may be missing', () => expectAccepted(claims({ at_hash: undefined })));
});
