import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { introspect, RelyingParty } from './support/relying-party.js';

const rolesClaim = 'urn:zitadel:iam:org:project:roles';
const owner = 'urn:zitadel:iam:user:resourceowner';

/** The project belongs to Alpha and is granted to Beta. */
const alpha = { name: 'Alpha', id: '300000000010000101', primaryDomain: 'alpha.localhost' };
const beta = { name: 'Beta', id: '300000000010000102', primaryDomain: 'beta.localhost' };
const gamma = { name: 'Gamma', id: '300000000010000103', primaryDomain: 'gamma.localhost' };
const umlaut = 'Umlaut & Söhne GmbH';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    organizations: [alpha, beta, gamma],
    users: [
      {
        loginName: 'alice',
        organization: 'Alpha',
        roles: ['admin', 'reader'],
        grants: [{ organization: 'Beta', roles: ['admin'] }],
      },
      {
        loginName: 'bob',
        organization: 'Beta',
        roles: ['reader'],
        grants: [{ organization: 'Alpha', roles: ['reader'] }],
      },
      { loginName: 'dave', organization: 'Alpha', grants: [{ organization: 'Beta', roles: ['reader'] }] },
      { loginName: 'ute', organization: umlaut, roles: ['reader'] },
    ],
    web: { loginVersion: 1, idTokenRoleAssertion: true },
  });
});
afterAll(() => sandbox.close());

function scoped(...scopes: string[]): { scope: string } {
  return { scope: ['openid profile email offline_access', ...scopes].join(' ') };
}

async function rolesOf(loginName: string, ...scopes: string[]): Promise<unknown[]> {
  const client = new RelyingParty(sandbox);
  const { access_token, claims } = await client.signIn(loginName, scoped(...scopes));
  const userinfo = await client.userinfo(access_token);
  const introspection = await introspect(sandbox, access_token);
  return [claims[rolesClaim], userinfo.json[rolesClaim], introspection.json[rolesClaim]];
}

describe('For roles of several organizations,', () => {
  it.each([
    ['alice', { admin: [alpha, beta], reader: [alpha] }],
    ['bob', { reader: [beta, alpha] }],
    ['dave', { reader: [beta] }],
  ])('the roles of %s name the organizations that granted them', async (loginName, expected) => {
    const roles = Object.fromEntries(
      Object.entries(expected).map(([role, granting]) => [
        role,
        Object.fromEntries(granting.map(({ id, primaryDomain }) => [id, primaryDomain])),
      ]),
    );
    expect(await rolesOf(loginName)).toEqual([roles, roles, roles]);
  });

  it('the scope urn:zitadel:iam:org:roles:id limits roles to that organization, also after a refresh', async () => {
    const roles = { admin: { [beta.id]: beta.primaryDomain } };
    const scope = `urn:zitadel:iam:org:roles:id:${beta.id}`;
    expect(await rolesOf('alice', scope)).toEqual([roles, roles, roles]);
    const client = new RelyingParty(sandbox);
    const { refresh_token } = await client.signIn('alice', scoped(scope));
    const { json } = await client.refresh(refresh_token);
    expect((await client.userinfo(String(json['access_token']))).json[rolesClaim]).toEqual(roles);
  });

  it('an organization that granted the user no role leads to no role claim and no error', async () => {
    expect(await rolesOf('alice', `urn:zitadel:iam:org:roles:id:${gamma.id}`)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('the scope urn:zitadel:iam:org:id limits the users who may sign in, not the roles', async () => {
    const [roles] = await rolesOf('alice', `urn:zitadel:iam:org:id:${alpha.id}`);
    expect(Object.keys(roles as object)).toEqual(['admin', 'reader']);
  });

  it('an id_token_hint of a user of another organization than the requested one is refused', async () => {
    const client = new RelyingParty(sandbox);
    const { id_token } = await client.signIn('alice');
    const { location } = await client.authorize({
      ...scoped(`urn:zitadel:iam:org:id:${beta.id}`),
      id_token_hint: id_token,
    });
    const callback = new URL(location).searchParams;
    expect([callback.get('error'), callback.get('error_description')]).toEqual([
      'invalid_request',
      'Errors.User.NotAllowedOrg',
    ]);
  });
});

describe('A primary domain with letters outside ASCII', () => {
  const domain = 'umlaut--söhne-gmbh.example';

  it('is derived from the name as in Zitadel and appears in the claims', async () => {
    const client = new RelyingParty(sandbox);
    const { claims } = await client.signIn('ute', scoped(owner));
    expect([claims[`${owner}:name`], claims[`${owner}:primary_domain`]]).toEqual([umlaut, domain]);
    expect(Object.values((await rolesOf('ute'))[0] as object)).toEqual([
      { [String(claims[`${owner}:id`])]: domain },
    ]);
  });

  it('limits the login to the users of the organization', async () => {
    const client = new RelyingParty(sandbox);
    const scope = scoped(`urn:zitadel:iam:org:domain:primary:${domain}`);
    expect((await client.choose('alice', scope)).status).toBe(400);
    const { claims } = await client.signIn('ute', scope);
    expect(claims['urn:zitadel:iam:org:domain:primary']).toBe(domain);
  });
});

describe('With project grants,', () => {
  const granted = {
    organizations: [alpha, beta],
    projectGrants: [{ organization: 'Beta', roles: ['admin', 'reader'] }],
    users: [{ loginName: 'alice', organization: 'Acme', roles: ['writer'] }],
  };

  it('an organization can grant only the roles of its project grant, and the owner of the project any', async () => {
    const other = await startSandbox(granted);
    other.grantRole('alice', 'reader', 'Beta');
    expect(() => other.grantRole('alice', 'writer', 'Beta')).toThrow(
      'Errors.Project.Role.NotFound: Beta may not grant writer',
    );
    expect(() => other.grantRole('alice', 'reader', 'Alpha')).toThrow('Project Grant not found: Alpha');
    const client = new RelyingParty(other);
    const { access_token } = await client.signIn('alice');
    const roles = (await client.userinfo(access_token)).json[rolesClaim];
    await other.close();
    expect(roles).toEqual({
      writer: { '320000000000000001': 'acme.example' },
      reader: { [beta.id]: beta.primaryDomain },
    });
  });

  it('a sandbox does not start with users that violate them', async () => {
    const users = [{ loginName: 'bob', organization: 'Alpha', roles: ['reader'] }];
    await expect(startSandbox({ ...granted, users })).rejects.toThrow('Project Grant not found: Alpha');
  });
});

describe('At run time,', () => {
  it('grantRole() and revokeRole() affect the next response about an earlier token', async () => {
    const client = new RelyingParty(sandbox);
    const { access_token } = await client.signIn('dave');
    const roles = async (): Promise<unknown[]> => [
      Object.keys((await client.userinfo(access_token)).json[rolesClaim] ?? {}),
      Object.keys((await introspect(sandbox, access_token)).json[rolesClaim] ?? {}),
    ];
    sandbox.grantRole('dave', 'admin', 'Beta');
    sandbox.grantRole('dave', 'admin');
    expect(await roles()).toEqual([
      ['admin', 'reader'],
      ['admin', 'reader'],
    ]);
    sandbox.revokeRole('dave', 'admin', 'Beta');
    expect(await roles()).toEqual([
      ['admin', 'reader'],
      ['admin', 'reader'],
    ]);
    sandbox.revokeRole('dave', 'admin');
    sandbox.revokeRole('dave', 'reader', 'Beta');
    expect(await roles()).toEqual([[], []]);
    sandbox.grantRole('dave', 'reader', 'Beta');
  });

  it('a role that is created after the login appears only after the next login', async () => {
    const client = new RelyingParty(sandbox);
    const before = await client.signIn('bob');
    sandbox.grantRole('bob', 'auditor');
    const rolesIn = async (token: string): Promise<string[]> =>
      Object.keys((await client.userinfo(token)).json[rolesClaim] as object);
    expect(await rolesIn(before.access_token)).toEqual(['reader']);
    expect(await rolesIn((await client.signIn('bob')).access_token)).toEqual(['reader', 'auditor']);
    sandbox.revokeRole('bob', 'auditor');
  });

  it('introspection lists the scopes of all roles of the project for every user', async () => {
    const client = new RelyingParty(sandbox);
    const { access_token } = await client.signIn('ute');
    const scopes = String((await introspect(sandbox, access_token)).json['scope']).split(' ');
    for (const role of ['admin', 'editor', 'viewer', 'reader']) {
      expect(scopes).toContain(`urn:zitadel:iam:org:project:role:${role}`);
    }
  });
});

it.each(['two words', '__proto__', 'constructor', '100 % sure', 'größe'])(
  'A role may have any name: %s',
  async (role) => {
    const other = await startSandbox({
      users: [{ loginName: 'alice', roles: [role, 'reader'] }],
      web: { idTokenRoleAssertion: true, accessTokenRoleAssertion: true, accessTokenType: 'jwt' },
    });
    const client = new RelyingParty(other);
    const { access_token, refresh_token, claims } = await client.signIn('alice');
    const { json } = await client.refresh(refresh_token);
    const found = [
      claims[rolesClaim],
      (await client.userinfo(String(json['access_token']))).json[rolesClaim],
      (await introspect(other, String(json['access_token']))).json[rolesClaim],
    ];
    const { status } = await client.userinfo(access_token);
    await other.close();
    expect(found.map((roles) => Object.keys(roles as object))).toEqual(Array(3).fill([role, 'reader']));
    expect(status).toBe(401);
  },
);

it('A user without a language has the locale null in ID token, userinfo and introspection', async () => {
  const other = await startSandbox({
    users: [{ loginName: 'a', locale: null }, { loginName: 'b' }, { loginName: 'c', locale: 'fr' }],
    web: { idTokenUserinfo: true },
  });
  const found: unknown[] = [];
  for (const loginName of ['a', 'b', 'c']) {
    const client = new RelyingParty(other);
    const { access_token, claims } = await client.signIn(loginName);
    found.push([
      claims['locale'],
      (await client.userinfo(access_token)).json['locale'],
      (await introspect(other, access_token)).json['locale'],
    ]);
  }
  await other.close();
  expect(found).toEqual([
    [null, null, null],
    [null, null, null],
    ['fr', 'fr', 'fr'],
  ]);
});
