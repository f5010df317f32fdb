import { describe, expect, it } from '@jest/globals';
import { userFrom } from '../src/claims/claims.js';
import { dueAt, issuedAt, tokenSetFrom } from '../src/session/session-token.js';

const acme = { '320000000000000001': 'acme.example' };
const both = { '320000000000000001': 'acme.example', '320000000000000002': 'globex.example' };

describe('userFrom()', () => {
  it('reads all claims of Zitadel', () => {
    expect(
      userFrom({
        sub: '320000000000000011',
        name: 'Alice Archer',
        preferred_username: 'alice@acme.example',
        email: 'alice@acme.example',
        email_verified: true,
        picture: 'https://zitadel.example/alice.png',
        'urn:zitadel:iam:org:project:roles': { admin: acme, editor: both },
        'urn:zitadel:iam:org:project:320000000000000100:roles': { admin: acme },
        'urn:zitadel:iam:org:project:320000000000000999:roles': { owner: acme },
        'urn:zitadel:iam:user:resourceowner:id': '320000000000000001',
        'urn:zitadel:iam:user:resourceowner:name': 'Acme',
        'urn:zitadel:iam:user:resourceowner:primary_domain': 'acme.example',
        'urn:zitadel:iam:user:metadata': { team: 'UGxhdGZvcm0', emoji: '8J-ZgiA_' },
      }),
    ).toEqual({
      id: '320000000000000011',
      name: 'Alice Archer',
      username: 'alice@acme.example',
      email: 'alice@acme.example',
      emailVerified: true,
      image: 'https://zitadel.example/alice.png',
      roles: ['admin', 'editor'],
      roleGrants: [
        { role: 'admin', organizations: [{ id: '320000000000000001', domain: 'acme.example' }] },
        {
          role: 'editor',
          organizations: [
            { id: '320000000000000001', domain: 'acme.example' },
            { id: '320000000000000002', domain: 'globex.example' },
          ],
        },
      ],
      projectRoles: {
        '320000000000000100': [
          { role: 'admin', organizations: [{ id: '320000000000000001', domain: 'acme.example' }] },
        ],
        '320000000000000999': [
          { role: 'owner', organizations: [{ id: '320000000000000001', domain: 'acme.example' }] },
        ],
      },
      organization: { id: '320000000000000001', name: 'Acme', domain: 'acme.example' },
      metadata: { team: 'Platform', emoji: '🙂 ?' },
    });
  });

  it('returns no role that only another project grants', () => {
    const claims = { sub: '1', 'urn:zitadel:iam:org:project:320000000000000999:roles': { admin: acme } };
    expect(userFrom(claims).roles).toEqual([]);
  });

  it('needs no claim but sub', () => {
    expect(userFrom({ sub: '1' })).toEqual({
      id: '1',
      name: null,
      email: null,
      image: null,
      emailVerified: false,
      roles: [],
      roleGrants: [],
      projectRoles: {},
      metadata: {},
    });
  });

  it('uses the login name when there is no name', () => {
    expect(userFrom({ sub: '1', preferred_username: 'service' }).name).toBe('service');
  });

  it.each([
    ['roles as a list', { 'urn:zitadel:iam:org:project:roles': ['admin'] }],
    ['roles as text', { 'urn:zitadel:iam:org:project:roles': 'admin' }],
    ['no roles', { 'urn:zitadel:iam:org:project:roles': null }],
    ['metadata that is not text', { 'urn:zitadel:iam:user:metadata': { key: 1 } }],
    ['email_verified as text', { email_verified: 'true' }],
    ['an empty name', { name: '' }],
  ])('ignores a claim of the wrong type: %s', (_name, claims) => {
    expect(userFrom({ sub: '1', ...claims })).toMatchObject({
      name: null,
      roles:
        claims['urn:zitadel:iam:org:project:roles' as never] === undefined
          ? []
          : expect.not.arrayContaining(['admin']),
      metadata: {},
      emailVerified: false,
    });
  });
});

describe('tokenSetFrom()', () => {
  const now = () => Date.now() / 1000;

  const dueOf = (answer: object, times: object = { start: now() }) =>
    dueAt({ ...tokenSetFrom({ access_token: 'a', ...answer }), ...times });

  it('makes the tokens due a tenth of their lifetime before the end, 30 seconds at most', () => {
    expect(dueOf({ expires_in: 43_199 })).toBeCloseTo(now() + 43_169, 0);
    expect(dueOf({ expires_in: 10 })).toBeCloseTo(now() + 9, 0);
    expect(dueOf({ expires_in: 10 }, { start: 0, accessTokenRenewedAt: now() })).toBeCloseTo(now() + 9, 0);
  });

  it('makes the tokens due after 270 seconds when there is no expires_in', () => {
    expect(dueOf({})).toBeCloseTo(now() + 270, 0);
  });

  it('sets accessTokenEndsAt from expires_in only', () => {
    expect(tokenSetFrom({ access_token: 'a', expires_in: 10 }).accessTokenEndsAt).toBeCloseTo(now() + 10, 0);
    expect(tokenSetFrom({ access_token: 'a' }).accessTokenEndsAt).toBeUndefined();
  });

  it('omits a missing ID token and refresh token', () => {
    expect(Object.keys(tokenSetFrom({ access_token: 'a' }))).toEqual([
      'accessToken',
      'accessTokenEndsAt',
      'accessTokenDueAt',
    ]);
    expect(tokenSetFrom({ access_token: 'a', refresh_token: 'r', id_token: 'i' })).toMatchObject({
      refreshToken: 'r',
      idToken: 'i',
    });
  });
});

it('issuedAt() is the time of the last refresh, and of the sign-in without a refresh', () => {
  expect([issuedAt({ accessTokenRenewedAt: 20, start: 10 }), issuedAt({ start: 10 }), issuedAt({})]).toEqual([
    20, 10, 0,
  ]);
});
