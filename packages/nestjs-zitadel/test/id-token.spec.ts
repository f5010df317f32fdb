import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { IdTokenRefused } from '../src/client/oidc.errors.js';
import { signingAlgorithms } from '../src/tokens/token-verifier.js';
import { signerWith, type Signer } from './support/signer.js';
import { causeOf, clientId, issuer, verifierWith } from './support/verifier.js';
import { now } from '../../../test/support/now.js';

const accessToken = 'an access token';
const atHash = (hash: string) => {
  const digest = createHash(hash).update(accessToken).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
};

/** The claims of an ID token of Zitadel: every client of the project is in aud, and azp is this client. */
const claims = () => ({
  iss: issuer,
  sub: '320000000000000011',
  aud: [clientId, '330000000000000002', '320000000000000100'],
  azp: clientId,
  exp: now() + 3600,
  iat: now(),
  auth_time: now() - 10,
  at_hash: atHash('sha256'),
});

let signer: Signer;
beforeAll(async () => {
  signer = await signerWith('RS256', 'first');
});

const verify = (
  token: string,
  { by = signer, algorithms = ['RS256'], hashed = [accessToken] as [string?] } = {},
) => verifierWith(() => ({ keys: [by.jwk] }), algorithms).idToken(token, hashed[0]);

describe('an ID token', () => {
  it('of Zitadel is accepted', async () => {
    const verified = await verify(await signer.sign(claims()));
    expect(verified.sub).toBe('320000000000000011');
  });

  it.each([
    ['one audience as text, no azp', { aud: clientId, azp: undefined }],
    ['one audience in a list, no azp', { aud: [clientId], azp: undefined }],
    ['no at_hash', { at_hash: undefined }],
    ['no auth_time', { auth_time: undefined }],
    ['exp ten seconds ago', { exp: now() - 10 }],
    ['nbf and iat in ten seconds', { nbf: now() + 10, iat: now() + 10 }],
    ['a subject of 255 characters', { sub: 'x'.repeat(255) }],
  ])('with %s is accepted', async (_name, change) => {
    await expect(verify(await signer.sign({ ...claims(), ...change }))).resolves.toBeDefined();
  });

  it.each([
    ['another issuer', { iss: `${issuer}1` }],
    ['the issuer with a trailing slash', { iss: `${issuer}/` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other', azp: undefined }],
    ['no audience', { aud: undefined }],
    ['several audiences and no azp', { azp: undefined }],
    ['another azp', { azp: 'other' }],
    ['another azp beside one audience', { aud: clientId, azp: 'other' }],
    ['exp five minutes ago', { exp: now() - 300 }],
    ['no exp', { exp: undefined }],
    ['no iat', { iat: undefined }],
    ['an iat that is not a number', { iat: 'now' }],
    ['an iat in an hour', { iat: now() + 3600 }],
    ['nbf in five minutes', { nbf: now() + 300 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is not text', { sub: 320000 }],
    ['a subject of 256 characters', { sub: 'x'.repeat(256) }],
    ['a subject that is not ASCII', { sub: 'jürgen' }],
    ['the hash of another access token', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['an at_hash that is not text', { at_hash: 1 }],
    ['an auth_time in the future', { auth_time: now() + 600 }],
    ['an auth_time that is not a number', { auth_time: 'now' }],
  ])('with %s is refused', async (_name, change) => {
    await expect(verify(await signer.sign({ ...claims(), ...change }))).rejects.toThrow(IdTokenRefused);
  });

  it('with an at_hash is refused when there is no access token', async () => {
    const refusal = await causeOf(verify(await signer.sign(claims()), { hashed: [] }));
    expect(refusal.message).toContain('at_hash');
  });

  it.each([
    ['ES384', 'sha384'],
    ['PS512', 'sha512'],
    ['EdDSA', 'sha512'],
  ])('signed with %s has an at_hash of %s', async (alg, hash) => {
    const other = await signerWith(alg, 'other');
    const token = await other.sign({ ...claims(), at_hash: atHash(hash) });
    await expect(verify(token, { by: other, algorithms: [alg] })).resolves.toBeDefined();
  });

  it('signed with an unlisted algorithm is refused, even if its key is published', async () => {
    const other = await signerWith('ES256', 'other');
    await expect(verify(await other.sign(claims()), { by: other })).rejects.toThrow(IdTokenRefused);
  });

  it('that is unsigned, truncated or not a JWT is refused', async () => {
    const [, body = '', signature = ''] = (await signer.sign(claims())).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    for (const token of [
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      `${body}.${signature}`,
      'x',
      '',
    ]) {
      await expect(verify(token)).rejects.toThrow(IdTokenRefused);
    }
  });

  it('signed with another key under a published kid is refused', async () => {
    const stranger = await signerWith('RS256', 'first');
    await expect(verify(await stranger.sign(claims()))).rejects.toThrow(IdTokenRefused);
  });

  it('with its key in the header is refused', async () => {
    const stranger = await signerWith('RS256', 'first');
    const header = { jwk: stranger.jwk, jku: 'http://127.0.0.1:9/', x5u: 'http://127.0.0.1:9/' };
    await expect(verify(await stranger.sign(claims(), header))).rejects.toThrow(IdTokenRefused);
  });
});

describe('signingAlgorithms()', () => {
  it('returns the listed algorithms without none and HMAC', () => {
    expect(signingAlgorithms(['none', 'HS256', 'RS256', 'EdDSA', 'ES256K'])).toEqual(['RS256', 'EdDSA']);
  });

  it('returns RS256 when no list is given', () => {
    expect(signingAlgorithms(undefined)).toEqual(['RS256']);
    expect(signingAlgorithms('ES256')).toEqual(['RS256']);
  });
});
