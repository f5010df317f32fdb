import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JWK } from 'jose';
import {
  IdpMisconfigured,
  IdpUnavailable,
  IdTokenRefused,
  LogoutTokenRefused,
} from '../src/client/oidc.errors.js';
import type { TokenVerifier } from '../src/tokens/token-verifier.js';
import { signerWith, type Signer } from './support/signer.js';
import { clientId, issuer, verifierWith } from './support/verifier.js';
import { moveTime } from '../../../test/support/move-time.js';
import { now } from '../../../test/support/now.js';

const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

let first: Signer;
let second: Signer;
let stranger: Signer;
beforeAll(async () => {
  first = await signerWith('ES256', 'first');
  second = await signerWith('ES256', 'second');
  stranger = await signerWith('ES256', 'stranger');
});

let published: JWK[];
let failure: Error | undefined;
let fetches: number;
let verifier: TokenVerifier;
beforeEach(() => {
  published = [first.jwk];
  failure = undefined;
  fetches = 0;
  verifier = verifierWith(() => {
    fetches++;
    if (failure) throw failure;
    return { keys: published };
  }, ['ES256']);
});
const idToken = async (signer: Signer) => {
  const claims = { iss: issuer, aud: clientId, sub: 'alice', iat: now(), exp: now() + 900 };
  return verifier.idToken(await signer.sign(claims), undefined);
};
const logoutToken = async (signer: Signer) => {
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const claims = { iss: issuer, aud: clientId, sub: 'alice', iat: now(), jti: crypto.randomUUID(), events };
  return verifier.logoutToken(await signer.sign(claims));
};

describe('the keys of the provider', () => {
  it('are fetched once for twenty concurrent ID tokens', async () => {
    await Promise.all(times(20, () => idToken(first)));
    expect(fetches).toBe(1);
  });

  it('are fetched again for an ID token with an unknown kid, even just after a fetch', async () => {
    await idToken(first);
    published = [second.jwk];
    await Promise.all(times(20, () => idToken(second)));
    expect(fetches).toBe(2);
    published = [stranger.jwk];
    await idToken(stranger);
    expect(fetches).toBe(3);
  });

  it('are fetched twice at most for a hundred ID tokens with an unknown kid', async () => {
    for (let count = 0; count < 50; count++) await expect(idToken(stranger)).rejects.toThrow(IdTokenRefused);
    await Promise.all(times(50, () => expect(idToken(stranger)).rejects.toThrow(IdTokenRefused)));
    expect(fetches).toBeLessThanOrEqual(2);
    moveTime(31_000);
    published = [stranger.jwk];
    await expect(idToken(stranger)).resolves.toBeDefined();
  });

  it('are fetched twice at most for a hundred logout tokens with an unknown kid', async () => {
    await expect(logoutToken(stranger)).rejects.toThrow(LogoutTokenRefused);
    await Promise.all(times(99, () => expect(logoutToken(stranger)).rejects.toThrow(IdpUnavailable)));
    expect(fetches).toBeLessThanOrEqual(2);
    moveTime(31_000);
    published = [stranger.jwk];
    await expect(logoutToken(stranger)).resolves.toBeDefined();
  });

  it('are fetched for an ID token while invalid logout tokens arrive', async () => {
    for (let count = 0; count < 5; count++) await expect(logoutToken(stranger)).rejects.toThrow();
    published = [second.jwk];
    await expect(idToken(second)).resolves.toBeDefined();
  });

  it('are fetched again after six minutes', async () => {
    await idToken(first);
    moveTime(6 * 60_000);
    await idToken(first);
    expect(fetches).toBe(2);
  });

  it('result in IdpUnavailable, and not in a refused token, when they cannot be fetched', async () => {
    failure = new IdpUnavailable();
    await expect(idToken(first)).rejects.toThrow(IdpUnavailable);
    await expect(logoutToken(first)).rejects.toThrow(IdpUnavailable);
    failure = undefined;
    await expect(idToken(first)).resolves.toBeDefined();
  });

  it.each<[string, unknown]>([
    ['not an object', 'keys'],
    ['without keys', {}],
    ['with keys that are not a list', { keys: 'first' }],
    ['with a key that is not an object', { keys: ['first'] }],
    ['with a key that lacks its coordinates', { keys: [{ kty: 'EC', crv: 'P-256', kid: 'first' }] }],
  ])('result in IdpMisconfigured when their document is %s', async (_name, document) => {
    const broken = verifierWith(() => document, ['ES256']);
    const token = await first.sign({
      iss: issuer,
      aud: clientId,
      sub: 'alice',
      iat: now(),
      exp: now() + 900,
    });
    await expect(broken.idToken(token, undefined)).rejects.toThrow(IdpMisconfigured);
  });

  it('without a kid are all tried', async () => {
    const nameless = await Promise.all(times(3, () => signerWith('ES256')));
    published = nameless.map(({ jwk }) => jwk);
    for (const signer of nameless) await expect(idToken(signer)).resolves.toBeDefined();
    await expect(idToken(await signerWith('ES256'))).rejects.toThrow(IdTokenRefused);
  });

  it('are not fetched again for a wrong signature under a known kid', async () => {
    await idToken(first);
    await expect(idToken(await signerWith('ES256', 'first'))).rejects.toThrow(IdTokenRefused);
    expect(fetches).toBe(1);
  });
});
