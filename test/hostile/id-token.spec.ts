import { setTimeout as pause } from 'node:timers/promises';
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
import { refusalOf, refused } from '../support/refusal.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';

const USERINFO = '/oidc/v1/userinfo';
const CLIENT_SECRET = 'a client secret that signs nothing';
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

let app: HostileApp;
/** whose metadata name every good algorithm, with a key for each */
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

describe('an ID token as Zitadel makes it', () => {
  it('is accepted: several audiences, and azp', () => expectAccepted({}));

  it('is required', async () => {
    const page = await app.signIn(app.browser(), { tokenAnswer: { id_token: undefined } });
    expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
  });

  it.each(['', 'nonsense', 'a.b.c', 'eyJhbGciOiJSUzI1NiJ9..', 42, { alg: 'RS256' }])(
    'is not %j',
    async (idToken) => {
      const page = await app.signIn(app.browser(), { tokenAnswer: { id_token: idToken } });
      expect(refusalOf(page)).toEqual(refused('id_token_invalid'));
    },
  );
});

describe('signature', () => {
  it.each([
    ['by a key nobody published, under the name of one that is', mutations['signed-by-a-stranger']],
    ['by a key nobody published, under a name of its own', { idToken: { sign: byUnknownKey } }],
    ['changed', mutations['broken-signature']],
    ['cut off', { idToken: { sign: cutOff } }],
    ['of other claims', { idToken: { sign: forged({ sub: people.mallory.sub }) } }],
  ] as [string, Mutation][])('%s: refused', (_name, mutation) => expectRefused(mutation));

  it('with a header that must be understood and is not: refused', () =>
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

describe('algorithm', () => {
  it.each([
    ['none', byNobody()],
    ['None', byNobody('None')],
    ['NONE', byNobody('NONE')],
    ['HS256 with the public key as the secret', mutations['signed-with-public-key'].idToken.sign],
    ['HS256 with the client secret', byHmac(() => CLIENT_SECRET)],
    ['HS512 with the client secret', byHmac(() => CLIENT_SECRET.padEnd(64), 'HS512')],
    ['HS256 with the modulus', byHmac((keys) => String(keys.for().publicKey.export({ format: 'jwk' }).n))],
    ['ES256, published but not in the metadata', byProvider('ES256')],
    ['PS256, published but not in the metadata', byProvider('PS256')],
    ['ES256 under the name of an RSA key', byStranger('ES256')],
  ])('%s: refused', (_name, sign) => expectRefused({ idToken: { sign } }));

  it.each(['none', 'HS256'])('%s: refused even if the metadata name it', async (alg) => {
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

  it.each(algorithms)('%s: accepted when the metadata name it and the key fits', (alg) =>
    // at_hash is of another length with other algorithms (OpenID Connect Core 3.1.3.6)
    expectAccepted({ idToken: { claims: { at_hash: undefined }, sign: byProvider(alg) } }, versatile),
  );
});

describe('iss', () => {
  it.each([
    ['with something behind it', mutations['wrong-issuer']],
    ['with a slash too many', claims(({ iss }) => ({ iss: `${String(iss)}/` }))],
    ['of other case', claims(({ iss }) => ({ iss: String(iss).toUpperCase() }))],
    ['in a list', claims(({ iss }) => ({ iss: [iss] }))],
    ['missing', claims({ iss: undefined })],
  ] as [string, Mutation][])('%s: refused', (_name, mutation) => expectRefused(mutation));
});

describe('aud and azp', () => {
  it.each([
    ['another client', mutations['foreign-audience']],
    ['one character more', claims(({ azp }) => ({ aud: `${String(azp)}1`, azp: undefined }))],
    ['another client alone, although azp is this one', claims({ aud: ['another-client'] })],
    ['another client beside this one, without azp', mutations['foreign-audience-beside']],
    ['this client, but azp another', mutations['foreign-azp']],
    ['this client alone, but azp another', claims(({ azp }) => ({ aud: azp, azp: 'another-client' }))],
    ['nobody', claims({ aud: [] })],
    ['missing', claims({ aud: undefined })],
  ] as [string, Mutation][])('%s: refused', (_name, mutation) => expectRefused(mutation));

  it.each([
    ['this client in a list', mutations['own-audience-alone']],
    ['this client as text', mutations['own-audience-as-text']],
  ] as [string, Mutation][])('%s, without azp: accepted', (_name, mutation) => expectAccepted(mutation));
});

describe('times', () => {
  it.each([
    ['ten minutes ago', mutations['long-expired']],
    ['missing', mutations['no-exp']],
    ['no number', claims({ exp: 'tomorrow' })],
  ] as [string, Mutation][])('exp %s: refused', (_name, mutation) => expectRefused(mutation));

  it.each([20, 40, 55])(
    'exp %i seconds ago: a sign-in succeeds, as clocks differ by up to a minute',
    (seconds) => expectAccepted(claims(() => ({ exp: now() - seconds }))),
  );

  it('exp 65 seconds ago: refused', () => expectRefused(claims(() => ({ exp: now() - 65 }))));

  it('nbf in 55 seconds: a sign-in succeeds, as clocks differ by up to a minute', () =>
    expectAccepted(claims(() => ({ nbf: now() + 55 }))));

  it.each([
    ['missing', mutations['no-iat']],
    ['no number', claims({ iat: 'yesterday' })],
  ] as [string, Mutation][])('iat %s: refused', (_name, mutation) => expectRefused(mutation));

  it('nbf in ten minutes: refused', () => expectRefused(claims(() => ({ nbf: now() + 600 }))));

  it('nbf now: accepted', () => expectAccepted(claims(() => ({ nbf: now() }))));

  it.each([
    ['an hour ago', () => ({ auth_time: now() - 3_600 })],
    ['missing', () => ({ auth_time: undefined })],
    ['66 s ago', () => ({ auth_time: now() - 66 })],
  ] as const)('auth_time %s, when max_age=60 was asked for: refused', async (_name, patch) => {
    const browser = app.browser();
    app.provider.next(claims(patch));
    app.provider.next(claims(patch));
    const asked = () => app.provider.requestsTo('/oauth/v2/authorize');
    const before = asked().length;
    const page = await stepUp(browser, '60');
    expect(refusalOf(page)).toEqual(refused('login_too_old'));
    expect(await app.session(browser)).toBeNull();
    // The same once more, with what every login honours; and no third time.
    expect(
      asked()
        .slice(before)
        .map(({ query }) => [query['max_age'], query['prompt']]),
    ).toEqual([
      ['60', undefined],
      ['60', 'login'],
    ]);
    const refreshTokens = app.provider.logins.slice(-2).flatMap((login) => login.refreshTokens);
    const revoked = () => app.provider.requestsTo('/oauth/v2/revoke').map(({ form }) => form['token']);
    for (let tries = 0; tries < 200 && !refreshTokens.every((token) => revoked().includes(token)); tries++)
      await pause(10);
    expect(revoked()).toEqual(expect.arrayContaining(refreshTokens));
  });

  it.each([
    ['old first, and new after prompt=login', [{ auth_time: now() - 3_600 }, {}]],
    ['63 s ago, which is within what clocks and rounding take', [{ auth_time: now() - 63 }]],
  ])('auth_time %s, when max_age=60 was asked for: accepted', async (_name, patches) => {
    const browser = app.browser();
    for (const patch of patches) app.provider.next(claims(() => patch));
    const page = await stepUp(browser, '60', '/auth/login?callbackUrl=/profile?after=step-up');
    expect(page.url.href).toBe(`${app.origin}/profile?after=step-up`);
    expect(await app.session(browser)).not.toBeNull();
  });

  it('auth_time old, when prompt=none was asked for, too: no page is forced on anybody', async () => {
    app.provider.next(claims(() => ({ auth_time: now() - 3_600 })));
    const page = await app.signIn(app.browser(), undefined, '/auth/login?max_age=60&prompt=none');
    expect(refusalOf(page)).toEqual(refused('interaction_required'));
  });

  it('a sign-in with max_age is not started again without it, from a callback that is opened late', async () => {
    const browser = app.browser();
    const callback = await app.callbackOf(browser, {}, '/auth/login?max_age=60');
    browser.forget(/authjs\.login-/);
    expect(refusalOf(await browser.get(callback))).toEqual(refused('login_already_used'));
  });

  const stepUp = async (browser: Browser, maxAge: string, from = '/auth/login') =>
    browser.submit(await browser.get(from), 'form[action="/auth/signin/zitadel"]', {
      fields: { max_age: maxAge },
    });
});

describe('sub', () => {
  it.each([
    ['missing', mutations['no-sub']],
    ['empty', claims({ sub: '' })],
    ['a number', claims(({ sub }) => ({ sub: Number(sub) }))],
    ['of 256 characters', claims({ sub: 'x'.repeat(256) })],
    ['not ASCII', claims({ sub: 'álice' })],
  ] as [string, Mutation][])('%s: refused', (_name, mutation) => expectRefused(mutation));

  it('names the user, not the e-mail address', async () => {
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

  it('of the userinfo must be the same', async () => {
    const browser = app.browser();
    const page = await app.signIn(browser, mutations['other-sub-in-userinfo']);
    expect(refusalOf(page)).toEqual(refused('userinfo_mismatch'));
    expect(await app.session(browser)).toBeNull();
  });
});

describe('nonce', () => {
  it.each([
    ['changed', mutations['other-nonce']],
    ['missing', mutations['no-nonce']],
    ['empty', claims({ nonce: '' })],
    ['of an earlier sign-in', claims(() => ({ nonce: app.provider.logins.at(0)?.nonce }))],
  ] as [string, Mutation][])('%s: refused', (_name, mutation) => expectRefused(mutation));
});

describe('header', () => {
  it.each(['jku', 'x5u'])('%s is not followed', async (name) => {
    const trap = await startTrap();
    try {
      await expectRefused({ idToken: { header: { [name]: `${trap.origin}/keys` }, sign: byStranger() } });
      expect(trap.visits).toEqual([]);
    } finally {
      await trap.close();
    }
  });

  it('a key in it (jwk) is not used', () =>
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

describe('at_hash', () => {
  const hashOf = (text: string) =>
    createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

  it('of another access token: refused', () => expectRefused(claims({ at_hash: hashOf('another') })));

  it('missing: accepted', () => expectAccepted(claims({ at_hash: undefined })));
});
