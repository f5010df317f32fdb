import {
  audienceScope,
  CurrentOrganization,
  RequireRoles,
  ROLES_SCOPE,
  type Organization,
} from '@mridang/nestjs-zitadel';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { startIntrospector, type Introspector } from '../support/introspector.js';
import { alpha, beta, home, shown, shownWithName } from '../support/organizations.js';
import { serviceUserTokens } from '../support/service-user-tokens.js';
import { startApi, type RunningApi } from '../support/start-api.js';

@Controller('tenant')
class TenantRoutes {
  @Get('data')
  data(@CurrentOrganization() organization: Organization) {
    return organization;
  }

  @Get('any')
  @RequireRoles('admin', { organization: 'any' })
  any() {
    return {};
  }
}

type Roles = Record<string, (typeof alpha)[]>;

/** The claims of an introspection response, as Zitadel has them. */
const claimsOf = (roles: Roles, { id, name, primaryDomain }: typeof alpha = home) => ({
  'urn:zitadel:iam:org:project:roles': Object.fromEntries(
    Object.entries(roles).map(([role, granting]) => [
      role,
      Object.fromEntries(granting.map((one) => [one.id, one.primaryDomain])),
    ]),
  ),
  'urn:zitadel:iam:user:resourceowner:id': id,
  'urn:zitadel:iam:user:resourceowner:name': name,
  'urn:zitadel:iam:user:resourceowner:primary_domain': primaryDomain,
});

let idp: Introspector;
let api: RunningApi;
let usual: RunningApi;
let count = 0;
beforeAll(async () => {
  idp = await startIntrospector();
  api = await startApi({ ...idp.env, ORGANIZATIONS: 'active' }, [TenantRoutes]);
  usual = await startApi(idp.env, [TenantRoutes]);
});
afterAll(async () => {
  await api.close();
  await usual.close();
  await idp.close();
});

interface Call {
  roles: Roles;
  home?: typeof alpha;
  organization?: string;
  of?: RunningApi;
}

/** Calls with a new token that has these roles. */
async function call(path: string, { roles, home: own, organization, of = api }: Call) {
  idp.answer = () => idp.active(claimsOf(roles, own));
  const headers = organization === undefined ? {} : { 'x-organization': organization };
  const answer = await of.get(path, `token-${count++}`, headers);
  return { status: answer.status, body: JSON.parse(await answer.text()) as unknown };
}

const ADMIN = '/api/v1/admin';
const both = { admin: [beta], editor: [alpha, beta] };

describe('the organization of a call', () => {
  it.each([
    ['the one of the header', { roles: both, organization: beta.id }, 200],
    ['the one of the header, and no other', { roles: both, organization: alpha.id }, 403],
    ['without the header the home organization', { roles: both, home: beta }, 200],
    ['the home organization also where another one has the role', { roles: both, home: alpha }, 403],
    ['else the only one', { roles: { admin: [beta] } }, 200],
  ])('is %s', async (_what, given, status) => {
    const answer = await call(ADMIN, given);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toMatchObject({ code: 'API_ROLE_REQUIRED' });
  });

  it('has to be named where there are several', async () => {
    expect(await call(ADMIN, { roles: both })).toMatchObject({
      status: 403,
      body: {
        code: 'ORGANIZATION_REQUIRED',
        message: 'This needs an organization. Choose one in which you have a role',
      },
    });
  });

  it.each([home.id, 'beta.example', '', `${beta.id}, ${alpha.id}`, '__proto__'])(
    'has to be one in which the caller has a role: %j',
    async (organization) => {
      const answer = await call(ADMIN, { roles: both, home: beta, organization });
      expect(answer).toMatchObject({ status: 403, body: { code: 'ORGANIZATION_WITHOUT_ROLES' } });
      const body = { ...(answer.body as Record<string, unknown>), explanation: undefined };
      if (organization) expect(JSON.stringify(body)).not.toContain(organization);
    },
  );

  it('does not matter for a caller without roles, who is refused for the role', async () => {
    const answer = await call(ADMIN, { roles: {} });
    expect(answer).toMatchObject({ status: 403, body: { code: 'API_ROLE_REQUIRED' } });
  });

  it('is the only one that the token has roles of, wherever the caller is at home', async () => {
    // with the scope urn:zitadel:iam:org:roles:id, Zitadel says these roles of somebody with more
    expect((await call(ADMIN, { roles: { admin: [beta] }, home: alpha })).status).toBe(200);
  });

  it('is required on routes that require roles only', async () => {
    const answers = [
      await call('/api/v1/app', { roles: both }),
      await call('/api/v1/app', { roles: both, organization: home.id }),
      await call('/api/v1/app', { roles: {} }),
    ];
    expect(answers.map(({ body }) => body)).toEqual(Array(3).fill('Hello World!'));
  });

  it('is that of each request, also with the same token', async () => {
    idp.answer = () => idp.active(claimsOf(both));
    const statuses: number[] = [];
    const asked = idp.asked.length;
    for (const organization of [beta.id, alpha.id, beta.id])
      statuses.push((await api.get(ADMIN, 'the-same', { 'x-organization': organization })).status);
    statuses.push((await api.get(ADMIN, 'the-same')).status);
    expect(statuses).toEqual([200, 403, 200, 403]);
    expect(idp.asked).toHaveLength(asked + 1);
  });
});

describe('a token of the sandbox', () => {
  let sandbox: Sandbox;
  let own: RunningApi;
  beforeAll(async () => {
    const grants = [
      { organization: 'Alpha', roles: ['admin'] },
      { organization: 'Beta', roles: ['editor'] },
    ];
    const agent = {
      loginName: 'agent',
      kind: 'machine',
      organization: 'Home',
      clientSecret: 'a secret',
    } as const;
    const member = { ...agent, loginName: 'member', organization: 'Alpha' };
    sandbox = await startSandbox({
      organizations: [alpha, beta, home],
      users: [
        { ...agent, grants },
        { ...member, grants },
      ],
    });
    own = await startApi({
      IDP_AUTHORITY: sandbox.issuer,
      ZITADEL_API_KEY_FILE: JSON.stringify(sandbox.clients.api.key),
      IDP_PROJECT_ID: sandbox.projectId,
      ORGANIZATIONS: 'active',
    });
  });
  afterAll(async () => {
    await own.close();
    await sandbox.close();
  });

  /** The status that a service user with roles in two organizations gets. */
  async function answerTo(scopes: string[], headers: Record<string, string> = {}, name = 'agent') {
    const scope = ['openid', ROLES_SCOPE, audienceScope(sandbox.projectId), ...scopes].join(' ');
    const { access_token: token } = await serviceUserTokens(sandbox, scope, name);
    return (await own.get(ADMIN, token, headers)).status;
  }

  it('needs no header when it was narrowed to one organization, else it does', async () => {
    const only = ({ id }: typeof alpha) => `urn:zitadel:iam:org:roles:id:${id}`;
    expect(await answerTo([only(alpha)])).toBe(200);
    expect(await answerTo([only(beta)])).toBe(403);
    expect(await answerTo([])).toBe(403);
    expect(await answerTo([], { 'x-organization': alpha.id })).toBe(200);
    expect(await answerTo([only(beta)], { 'x-organization': alpha.id })).toBe(403);
  });

  it('counts in the home organization without the header', async () => {
    const home = 'urn:zitadel:iam:user:resourceowner';
    expect(await answerTo([home], {}, 'member')).toBe(200);
    expect(await answerTo([home], {}, 'agent')).toBe(403);
  });
});

describe('a handler', () => {
  it('receives the caller with the roles of the organization', async () => {
    const { body } = await call('/api/v1/caller', { roles: both, home: alpha, organization: beta.id });
    expect(body).toMatchObject({
      roles: ['admin', 'editor'],
      allRoles: ['admin', 'editor'],
      organizations: [shown(beta), shownWithName(alpha)],
      activeOrganization: shown(beta),
      organization: shownWithName(alpha),
    });
    const { body: atHome } = await call('/api/v1/caller', { roles: both, home: alpha });
    expect(atHome).toMatchObject({ roles: ['editor'], activeOrganization: shownWithName(alpha) });
  });

  it('receives the organization, and is not called without one', async () => {
    const path = '/tenant/data';
    expect(await call(path, { roles: both, organization: beta.id })).toEqual({
      status: 200,
      body: shown(beta),
    });
    const codes = [
      await call(path, { roles: both }),
      await call(path, { roles: both, organization: home.id }),
      await call(path, { roles: {} }),
    ];
    expect(codes.map(({ status, body }) => [status, (body as { code: string }).code])).toEqual([
      [403, 'ORGANIZATION_REQUIRED'],
      [403, 'ORGANIZATION_WITHOUT_ROLES'],
      [403, 'AUTH_ROLES_REQUIRED'],
    ]);
  });

  it('accepts a role of any organization with `organization: any`', async () => {
    expect((await call('/tenant/any', { roles: both })).status).toBe(200);
    expect((await call('/tenant/any', { roles: both, organization: alpha.id })).status).toBe(200);
    expect(await call('/tenant/any', { roles: { editor: [alpha, beta] } })).toMatchObject({
      status: 403,
      body: { code: 'API_ROLE_REQUIRED' },
    });
  });
});

describe('the API without ORGANIZATIONS=active', () => {
  it('accepts roles of every organization, and ignores the header', async () => {
    expect((await call(ADMIN, { roles: both, of: usual })).status).toBe(200);
    expect((await call(ADMIN, { roles: both, organization: home.id, of: usual })).status).toBe(200);
    expect((await call('/tenant/any', { roles: both, of: usual })).status).toBe(200);
    expect(await call(ADMIN, { roles: {}, organization: home.id, of: usual })).toMatchObject({
      status: 403,
      body: { code: 'API_ROLE_REQUIRED' },
    });
    const { body } = await call('/api/v1/caller', { roles: both, of: usual });
    for (const member of ['roleGrants', 'organizations', 'activeOrganization', 'allRoles'])
      expect(body).not.toHaveProperty(member);
  });

  it('answers 500 for a handler with @CurrentOrganization()', async () => {
    expect((await call('/tenant/data', { roles: both, of: usual })).status).toBe(500);
  });
});

describe('the header X-Organization', () => {
  it('is allowed to other origins and in the description of the API, if ORGANIZATIONS is active', async () => {
    const origin = 'https://app.example.com';
    const env = { ...idp.env, API_CORS_ORIGINS: origin, API_SWAGGER: 'true' };
    const off = await startApi(env);
    const without = await (await off.get('/api-json')).text();
    await off.close();
    const on = await startApi({ ...env, ORGANIZATIONS: 'active' });
    const preflight = await fetch(`${on.origin}${ADMIN}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization,x-organization',
      },
    });
    const described = await (await on.get('/api-json')).text();
    await on.close();
    expect(preflight.headers.get('access-control-allow-headers')).toContain('X-Organization');
    expect([without, described].map((text) => text.includes('X-Organization'))).toEqual([false, true]);
  });
});
