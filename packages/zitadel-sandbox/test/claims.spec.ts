import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox, type SandboxOptions } from '../src/index.js';
import { Browser } from './support/browser.js';
import {
  alice,
  bob,
  carol,
  introspect,
  RelyingParty,
  type Tokens,
  tokensFrom,
  withSandbox,
} from './support/relying-party.js';

const acme = '320000000000000001';
const globex = '320000000000000002';
const roles = 'urn:zitadel:iam:org:project:roles';
const allRoles = 'urn:zitadel:iam:org:projects:roles';
const metadata = 'urn:zitadel:iam:user:metadata';
const owner = 'urn:zitadel:iam:user:resourceowner';

let sandbox: Sandbox;
let client: RelyingParty;

beforeAll(async () => {
  sandbox = await startSandbox();
  client = new RelyingParty(sandbox);
});
afterAll(() => sandbox.close());

async function userinfo(loginName: string, scope: string, party = client): Promise<Record<string, unknown>> {
  const { access_token } = await party.signIn(loginName, { scope, prompt: 'login' });
  return (await party.userinfo(access_token)).json;
}

/** Signs in at a separate sandbox: the tokens, and the claims of userinfo and introspection. */
async function loginAt(
  options: SandboxOptions,
  scope: string,
  loginName = alice,
): Promise<{ tokens: Tokens; info: Record<string, unknown>; introspected: Record<string, unknown> }> {
  return withSandbox(options, async (other) => {
    const party = new RelyingParty(other);
    const tokens = await party.signIn(loginName, { scope });
    const info = (await party.userinfo(tokens.access_token)).json;
    const introspected = (await introspect(other, tokens.access_token)).json;
    return { tokens, info, introspected };
  });
}

describe('The ID token', () => {
  it('contains exactly iss, sub, aud, exp, iat, auth_time, nonce, amr, azp, client_id, at_hash and sid', async () => {
    const { claims } = await client.signIn();
    expect(Object.keys(claims).sort()).toEqual([
      'amr',
      'at_hash',
      'aud',
      'auth_time',
      'azp',
      'client_id',
      'exp',
      'iat',
      'iss',
      'nonce',
      'sid',
      'sub',
    ]);
    expect(claims).toMatchObject({
      iss: sandbox.issuer,
      sub: '320000000000000011',
      nonce: 'the-nonce',
      azp: sandbox.clients.web.clientId,
      client_id: sandbox.clients.web.clientId,
    });
  });

  it('has as aud all client ids of the project, API apps included, the project, and the projects of …:aud scopes', async () => {
    const scope =
      'openid urn:zitadel:iam:org:project:id:399999999999999999:aud urn:zitadel:iam:org:project:id:zitadel:aud';
    const { web, second, api, apiBasic, swagger, foreignApi } = sandbox.clients;
    const { claims } = await client.signIn(alice, { scope });
    expect(claims.aud).toEqual([
      ...[web, second, api, apiBasic, swagger].map(({ clientId }) => clientId),
      ...[sandbox.projectId, '399999999999999999', '320000000000000300'],
    ]);
    expect(claims.aud).not.toContain(foreignApi.clientId);
  });

  it.each(['c_hash', 'acr', 'nbf', 'jti'])('does not contain %s', async (claim) => {
    expect((await client.signIn()).claims).not.toHaveProperty([claim]);
  });

  it('has a sid of digits with Login V2 that identifies the session', async () => {
    const first = await client.signIn(alice, { prompt: 'login' });
    const { location } = await client.browser.get((await client.authorize()).location);
    const again = tokensFrom(await client.redeem(new URL(location).searchParams.get('code') ?? ''));
    const other = await client.signIn(alice, { prompt: 'login' });
    expect(first.claims['sid']).toMatch(/^\d{18}$/);
    expect(again.claims['sid']).toBe(first.claims['sid']);
    expect(other.claims['sid']).not.toBe(first.claims['sid']);
  });

  it('has the amr pwd', async () => {
    expect((await client.signIn()).claims['amr']).toEqual(['pwd']);
  });

  it('has as at_hash the left half of the SHA-256 of the access token', async () => {
    const { claims, access_token } = await client.signIn();
    const hash = createHash('sha256').update(access_token).digest();
    expect(claims['at_hash']).toBe(hash.subarray(0, 16).toString('base64url'));
  });

  it('has no nonce when the request has none', async () => {
    expect((await client.signIn(alice, { nonce: undefined })).claims).not.toHaveProperty('nonce');
  });

  it('contains profile, email and phone claims only with "User Info inside ID Token"', async () => {
    const without = await client.signIn(alice, { scope: 'openid profile email phone' });
    const { tokens } = await loginAt({ web: { idTokenUserinfo: true } }, 'openid profile email phone');
    expect(without.claims).not.toHaveProperty('name');
    expect(without.claims).not.toHaveProperty('email');
    expect(tokens.claims).toMatchObject({
      name: 'Alice Archer',
      email: alice,
      email_verified: true,
      phone_number: '+41791234567',
    });
  });

  it('contains metadata, resourceowner and organization claims without that option', async () => {
    const { claims } = await client.signIn(alice, {
      scope: `openid ${metadata} urn:zitadel:iam:org:id:${acme}`,
    });
    expect(claims).toMatchObject({ [metadata]: { team: 'UGxhdGZvcm0' }, [`${owner}:id`]: acme });
  });

  it('contains roles with idTokenRoleAssertion only', async () => {
    const { claims } = await client.signIn();
    const { tokens } = await loginAt({ web: { idTokenRoleAssertion: true } }, 'openid');
    expect(claims).not.toHaveProperty([roles]);
    expect(tokens.claims[roles]).toHaveProperty('admin');
  });
});

describe('The userinfo endpoint', () => {
  it('returns sub for openid', async () => {
    const { info } = await loginAt({ projectRoleAssertion: false }, 'openid');
    expect(info).toEqual({ sub: '320000000000000011' });
  });

  it('returns name to preferred_username for profile, and updated_at as an integer', async () => {
    const { info } = await loginAt({ projectRoleAssertion: false }, 'openid profile');
    expect(info).toEqual({
      sub: '320000000000000011',
      name: 'Alice Archer',
      given_name: 'Alice',
      family_name: 'Archer',
      nickname: 'ali',
      gender: 'female',
      locale: 'en',
      updated_at: expect.any(Number),
      preferred_username: alice,
    });
    expect(Number.isInteger(info['updated_at'])).toBe(true);
  });

  it('returns picture for profile when the user has an avatar', async () => {
    const picture = 'https://images.example/dora.png';
    const { info } = await loginAt({ users: [{ loginName: 'dora', picture }] }, 'openid profile', 'dora');
    expect(info['picture']).toBe(picture);
  });

  it('omits email_verified when it is false', async () => {
    const info = await userinfo(bob, 'openid email');
    expect(info['email']).toBe(bob);
    expect(info).not.toHaveProperty('email_verified');
    expect(await userinfo(alice, 'openid email')).toMatchObject({ email: alice, email_verified: true });
  });

  it('returns phone_number for phone, and phone_number_verified unless it is false', async () => {
    expect(await userinfo(alice, 'openid phone')).toMatchObject({
      phone_number: '+41791234567',
      phone_number_verified: true,
    });
    const { info } = await loginAt(
      { users: [{ loginName: 'dora', phone: '+4179' }] },
      'openid phone',
      'dora',
    );
    expect(info).toMatchObject({ phone_number: '+4179' });
    expect(info).not.toHaveProperty('phone_number_verified');
  });

  it('never returns address', async () => {
    expect(await userinfo(alice, 'openid address')).not.toHaveProperty('address');
  });

  it.each(['alice', 'bob', 'carol'])('returns names and a locale for the default user %s', async (name) => {
    const person = sandbox.users.find(({ loginName }) => loginName.startsWith(name));
    const info = await userinfo(person?.loginName ?? '', 'openid profile');
    expect(info).toMatchObject({
      given_name: expect.any(String),
      family_name: expect.any(String),
      locale: expect.any(String),
    });
  });

  it('accepts access_token in the form', async () => {
    const { access_token } = await client.signIn();
    const { status } = await new Browser().post(`${sandbox.issuer}/oidc/v1/userinfo`, { access_token });
    expect(status).toBe(200);
  });

  it.each([
    ['no token', {}, { error: 'invalid_request', error_description: 'access token missing' }],
    [
      'bad token',
      { authorization: 'Bearer x' },
      { error: 'access_denied', error_description: 'access token invalid' },
    ],
  ])('returns 401 for %s', async (_case, headers, body) => {
    const { status, json } = await new Browser().get(`${sandbox.issuer}/oidc/v1/userinfo`, headers);
    expect([status, json]).toEqual([401, body]);
  });

  it('returns 401 for an expired token', async () => {
    const { access_token } = await client.signIn();
    sandbox.expire('access_tokens');
    const { status, json } = await client.userinfo(access_token);
    expect([status, json['error']]).toEqual([401, 'access_denied']);
  });

  it('reads `Bearer ` case-sensitively', async () => {
    const { access_token } = await client.signIn();
    const { status, json } = await new Browser().get(`${sandbox.issuer}/oidc/v1/userinfo`, {
      authorization: `bearer ${access_token}`,
    });
    expect([status, json['error_description']]).toEqual([401, 'access token missing']);
  });
});

describe('In role claims,', () => {
  const ofAlice = { admin: { [acme]: 'acme.example' }, editor: { [acme]: 'acme.example' } };
  const scoped = `urn:zitadel:iam:org:project:${'320000000000000100'}:roles`;

  it('roles are an object of objects, in the general and in the project claim', async () => {
    expect(await userinfo(alice, 'openid')).toMatchObject({ [roles]: ofAlice, [scoped]: ofAlice });
  });

  it('a role names the organization that granted it', async () => {
    expect((await userinfo(carol, 'openid'))[roles]).toEqual({ editor: { [globex]: 'globex.example' } });
  });

  it('a user without grants has no role claim', async () => {
    const info = await userinfo(bob, 'openid');
    expect(Object.keys(info).filter((claim) => claim.endsWith(':roles'))).toEqual([]);
  });

  it('a role can be granted by two organizations', async () => {
    const users = [
      { loginName: 'dora', roles: ['admin'], grants: [{ organization: 'Globex', roles: ['admin'] }] },
    ];
    const { info } = await loginAt({ users }, 'openid', 'dora');
    expect(info[roles]).toEqual({ admin: { [acme]: 'acme.example', [globex]: 'globex.example' } });
  });

  it('the scope urn:zitadel:iam:org:roles:id:{orgId} limits roles to the grants of that organization', async () => {
    const users = [
      { loginName: 'dora', roles: ['admin'], grants: [{ organization: 'Globex', roles: ['editor'] }] },
    ];
    const { info } = await loginAt({ users }, `openid urn:zitadel:iam:org:roles:id:${globex}`, 'dora');
    expect(info[roles]).toEqual({ editor: { [globex]: 'globex.example' } });
  });

  it('a role that is created after the login appears only after the next login', async () => {
    const one = await startSandbox();
    const party = new RelyingParty(one);
    const before = await party.signIn();
    one.grantRole(alice, 'auditor');
    const old = (await party.userinfo(before.access_token)).json[roles];
    const after = await party.signIn();
    const fresh = (await party.userinfo(after.access_token)).json[roles];
    await one.close();
    expect([Object.keys(old as object), Object.keys(fresh as object)]).toEqual([
      ['admin', 'editor'],
      ['admin', 'editor', 'auditor'],
    ]);
  });

  describe('without "Assert Roles on Authentication",', () => {
    const off = { projectRoleAssertion: false };
    const aud = 'urn:zitadel:iam:org:project:id:320000000000000100:aud';

    it('without a role scope, userinfo has no roles and introspection has those of the own project', async () => {
      const { info, introspected } = await loginAt(off, 'openid');
      expect(info).not.toHaveProperty([roles]);
      expect(introspected[roles]).toEqual(ofAlice);
    });

    it('role scopes limit the claim to these roles', async () => {
      const { info } = await loginAt(off, 'openid urn:zitadel:iam:org:project:role:editor');
      expect(info[roles]).toEqual({ editor: ofAlice.editor });
    });

    it('the scope urn:zitadel:iam:org:projects:roles returns all roles with …:aud and none without', async () => {
      expect((await loginAt(off, `openid ${allRoles} ${aud}`)).info[roles]).toEqual(ofAlice);
      expect((await loginAt(off, `openid ${allRoles}`)).info).not.toHaveProperty([roles]);
    });

    it('roles of another project appear with its …:aud scope, in userinfo only', async () => {
      const projectId = '320000000000000200';
      const users = [{ loginName: 'dora', grants: [{ projectId, roles: ['guest'] }] }];
      const scope = `openid ${allRoles} urn:zitadel:iam:org:project:id:${projectId}:aud`;
      const { info, introspected } = await loginAt({ ...off, users }, scope, 'dora');
      const claim = `urn:zitadel:iam:org:project:${projectId}:roles`;
      expect(info[claim]).toEqual({ guest: { [acme]: 'acme.example' } });
      expect(introspected).not.toHaveProperty([claim]);
    });
  });
});

describe('The scope', () => {
  it('urn:zitadel:iam:user:metadata returns metadata as base64url without padding', async () => {
    const info = await userinfo(alice, `openid ${metadata}`);
    expect(info[metadata]).toEqual({ team: 'UGxhdGZvcm0', 'cost-center': 'NDcxMT8-' });
    const value = (info[metadata] as Record<string, string>)['cost-center'] ?? '';
    expect(Buffer.from(value, 'base64url').toString()).toBe('4711?>');
  });

  it('urn:zitadel:iam:user:metadata returns nothing for a user without metadata', async () => {
    expect(await userinfo(bob, `openid ${metadata}`)).not.toHaveProperty([metadata]);
  });

  it('urn:zitadel:iam:user:resourceowner returns :id, :name and :primary_domain', async () => {
    expect(await userinfo(carol, `openid ${owner}`)).toMatchObject({
      [`${owner}:id`]: globex,
      [`${owner}:name`]: 'Globex',
      [`${owner}:primary_domain`]: 'globex.example',
    });
  });

  it('urn:zitadel:iam:org:id:{id} returns urn:zitadel:iam:org:id and the three resourceowner claims', async () => {
    expect(await userinfo(alice, `openid urn:zitadel:iam:org:id:${acme}`)).toMatchObject({
      'urn:zitadel:iam:org:id': acme,
      [`${owner}:id`]: acme,
      [`${owner}:name`]: 'Acme',
      [`${owner}:primary_domain`]: 'acme.example',
    });
  });

  it('groups returns group names, and urn:zitadel:iam:user:groups returns groups with ids', async () => {
    const users = [{ loginName: 'dora', groups: ['Pilots'] }];
    const { info } = await loginAt({ users }, 'openid groups urn:zitadel:iam:user:groups', 'dora');
    expect(info['groups']).toEqual(['Pilots']);
    expect(info['urn:zitadel:iam:user:groups']).toEqual([
      { id: expect.stringMatching(/^\d{18}$/), name: 'Pilots' },
    ]);
  });

  it('urn:zitadel:iam:org:domain:primary:{domain} returns urn:zitadel:iam:org:domain:primary', async () => {
    const info = await userinfo(alice, 'openid urn:zitadel:iam:org:domain:primary:acme.example');
    expect(info['urn:zitadel:iam:org:domain:primary']).toBe('acme.example');
  });
});

it('Userinfo returns the same claims for an opaque and a JWT access token', async () => {
  const scope = `openid profile email phone ${metadata} ${owner}`;
  const opaque = await loginAt({}, scope);
  const jwt = await loginAt({ web: { accessTokenType: 'jwt' } }, scope);
  expect(jwt.info).toEqual(opaque.info);
  expect(decodeJwt(jwt.tokens.access_token).sub).toBe(opaque.info['sub']);
});
