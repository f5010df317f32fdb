import { beforeAll, describe, expect, it } from '@jest/globals';
import { LogoutTokenRefused } from '../src/client/oidc.errors.js';
import { signerWith, type Signer } from './support/signer.js';
import { causeOf, clientId, issuer, verifierWith } from './support/verifier.js';
import { now } from '../../../test/support/now.js';

const event = 'http://schemas.openid.net/event/backchannel-logout';

/** The claims of a logout token of Zitadel. */
const claims = () => ({
  iss: issuer,
  sub: '320000000000000011',
  aud: [clientId],
  iat: now() - 1,
  exp: now() + 900,
  jti: 'V2_1-lt_1',
  events: { [event]: {} },
  sid: '340000000000000001',
});

let signer: Signer;
beforeAll(async () => {
  signer = await signerWith('RS256', 'first');
});

const verify = async (change: Record<string, unknown>, header: Record<string, unknown> = { typ: 'JWT' }) =>
  verifierWith(() => ({ keys: [signer.jwk] })).logoutToken(
    await signer.sign({ ...claims(), ...change }, header),
  );

describe('a logout token', () => {
  it('returns jti, sub, sid and iat', async () => {
    expect(await verify({})).toEqual({
      jti: 'V2_1-lt_1',
      sub: '320000000000000011',
      sid: '340000000000000001',
      iat: expect.any(Number),
    });
  });

  it.each([
    ['only a sid', { sub: undefined }],
    ['only a sub', { sid: undefined }],
    ['no exp', { exp: undefined }],
    ['members in the event', { events: { [event]: { more: 1 }, other: {} } }],
    ['an unknown claim', { ignored_claim: 'x' }],
    ['an iat fourteen minutes ago', { iat: now() - 14 * 60 }],
  ])('with %s is accepted', async (_name, change) => {
    await expect(verify(change)).resolves.toBeDefined();
  });

  it.each([['logout+jwt'], ['LOGOUT+JWT'], ['application/logout+jwt'], ['jwt'], [undefined]])(
    'of typ %s is accepted',
    async (typ) => {
      await expect(verify({}, typ === undefined ? {} : { typ })).resolves.toBeDefined();
    },
  );

  it.each([['at+jwt'], ['id_token'], [''], ['secevent+jwt']])('of typ %j is refused', async (typ) => {
    expect((await causeOf(verify({}, { typ }))).message).toContain('typ');
  });

  it.each([
    ['another issuer', { iss: `${issuer}INVALID` }],
    ['another audience', { aud: `${clientId}INVALID` }],
    ['no audience', { aud: undefined }],
    ['no iat', { iat: undefined }],
    ['an iat twenty minutes ago', { iat: now() - 20 * 60 }],
    ['an iat in five minutes', { iat: now() + 300 }],
    ['an exp five minutes ago', { exp: now() - 300 }],
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['a jti that is not text', { jti: 1 }],
    ['no events', { events: undefined }],
    ['events that are a list', { events: [event] }],
    ['another event', { events: { 'http://schemas.openid.net/event/foobar': {} } }],
    ['an event that is not an object', { events: { [event]: true } }],
    ['an event that is a list', { events: { [event]: [] } }],
    ['an event that is null', { events: { [event]: null } }],
    ['a nonce', { nonce: 'x' }],
    ['a nonce that is null', { nonce: null }],
    ['neither sub nor sid', { sub: undefined, sid: undefined }],
    ['an empty sid', { sid: '' }],
    ['a sub that is not text', { sub: 1 }],
  ])('with %s is refused', async (_name, change) => {
    await expect(verify(change)).rejects.toThrow(LogoutTokenRefused);
  });

  it('is not an ID token: one is refused', async () => {
    const idToken = { events: undefined, jti: undefined, nonce: 'n', azp: clientId };
    await expect(verify(idToken)).rejects.toThrow(LogoutTokenRefused);
  });
});
