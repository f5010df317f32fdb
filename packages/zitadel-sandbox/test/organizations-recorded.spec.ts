import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { introspect, RelyingParty } from './support/relying-party.js';

type Claims = Record<string, unknown>;

/** What a running Zitadel answered to a sign-in with this scope: the claims of organizations and roles. */
interface SignIn {
  name: string;
  app: 'web' | 'web-jwt';
  scope: string;
  person?: string;
  error?: string;
  description?: string;
  idToken?: Claims;
  accessToken?: Claims;
  userinfo?: Claims;
  introspection?: Claims & { scope: string };
  refreshed?: Claims;
}

/** What it answered to a refresh with this scope, in this order. */
interface Refresh {
  name: string;
  scope: string | null;
  status: number;
  idToken?: Claims;
  body?: Claims;
}

const [alpha, beta, gamma] = ['Alpha', 'Beta', 'Gamma'].map((name, index) => ({
  name,
  id: `30000000001000010${index + 1}`,
  primaryDomain: `${name.toLowerCase()}.localhost`,
}));
const foreignProject = '320000000000000200';

const recorded = JSON.parse(
  readFileSync(new URL('recorded/organizations.json', import.meta.url), 'utf8')
    .replaceAll('<project_id: 18 digits>', '320000000000000100')
    .replaceAll('<foreign_project_id: 18 digits>', foreignProject),
) as { signIns: SignIn[]; refreshes: Refresh[] };

let sandboxes: Record<SignIn['app'], Sandbox>;
beforeAll(async () => {
  const options = {
    organizations: [alpha, beta, gamma].filter((one) => one !== undefined),
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
      { loginName: 'carol', organization: 'Alpha' },
      { loginName: 'dave', organization: 'Alpha', grants: [{ organization: 'Beta', roles: ['reader'] }] },
      { loginName: 'erin', organization: 'Gamma' },
    ],
  };
  const web = { loginVersion: 1, idTokenRoleAssertion: true } as const;
  sandboxes = {
    web: await startSandbox({ ...options, web }),
    'web-jwt': await startSandbox({
      ...options,
      web: { ...web, accessTokenType: 'jwt', accessTokenRoleAssertion: true },
    }),
  };
});
afterAll(async () => {
  await sandboxes.web.close();
  await sandboxes['web-jwt'].close();
});

const named = (claims: Claims) =>
  Object.fromEntries(Object.entries(claims).filter(([claim]) => claim.startsWith('urn:')));

/** The scopes of an introspection without those of each role: the recorded project has other roles. */
const scopesIn = (scope: unknown) =>
  String(scope)
    .split(' ')
    .filter((one) => !one.startsWith('urn:zitadel:iam:org:project:role:'));

describe('Sign-ins with organization scopes are answered as the recorded Zitadel did', () => {
  it.each(recorded.signIns.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { app, scope, person = 'alice' } = one;
    const sandbox = sandboxes[app];
    // the role of the second recorded project was given after most of the recording
    if (one.name.endsWith('with a role there'))
      sandbox.users
        .find(({ loginName }) => loginName === person)
        ?.authorizations.push({
          organization: { id: '300000000010000101', name: 'Alpha', primaryDomain: 'alpha.localhost' },
          projectId: foreignProject,
          roles: ['editor'],
        });
    const client = new RelyingParty(sandbox);
    if (one.error !== undefined) {
      const { location } = await client.authorize({ scope });
      const { searchParams } = new URL(location);
      expect([searchParams.get('error'), searchParams.get('error_description')]).toEqual([
        one.error,
        one.description,
      ]);
      return;
    }
    const tokens = await client.signIn(person, { scope });
    expect(named(tokens.claims)).toEqual(one.idToken);
    if (one.accessToken) expect(named(decodeJwt(tokens.access_token))).toEqual(one.accessToken);
    if (one.userinfo) expect(named((await client.userinfo(tokens.access_token)).json)).toEqual(one.userinfo);
    if (one.introspection) {
      const { json } = await introspect(sandbox, tokens.access_token);
      expect({ ...named(json), scope: scopesIn(json['scope']) }).toEqual({
        ...one.introspection,
        scope: scopesIn(one.introspection.scope),
      });
    }
    if (one.refreshed) {
      const { json } = await client.refresh(tokens.refresh_token);
      expect(named(decodeJwt(String(json['id_token'])))).toEqual(one.refreshed);
    }
  });
});

it('No scope of a refresh switches the organization, as with the recorded Zitadel', async () => {
  const client = new RelyingParty(sandboxes.web);
  const scope = recorded.signIns.find(({ name }) => name === 'both roles:id scopes')?.scope ?? '';
  let { refresh_token: refreshToken } = await client.signIn('alice', { scope });
  for (const one of recorded.refreshes) {
    const { status, json } = await client.refresh(
      refreshToken,
      one.scope === null ? {} : { scope: one.scope },
    );
    const found = status === 200 ? named(decodeJwt(String(json['id_token']))) : json;
    expect([one.name, status, found]).toEqual([one.name, one.status, one.idToken ?? one.body]);
    if (status === 200) refreshToken = String(json['refresh_token']);
  }
});
