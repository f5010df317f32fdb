import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startSandbox,
  type ApplicationKeyFile,
  type Sandbox,
  type ServiceUserKeyFile,
} from '../src/index.js';
import { Browser } from './support/browser.js';
import { acme, madeProject, manage } from './support/management.js';
import { assertion, introspect, RelyingParty, withSandbox } from './support/relying-party.js';

const applications = 'application.v2.ApplicationService';
const projects = 'project.v2.ProjectService';
const aliceId = '320000000000000011';
const later = '2046-01-01T00:00:00Z';

describe('An empty sandbox', () => {
  let sandbox: Sandbox;
  beforeEach(async () => (sandbox = await startSandbox({ empty: true })));
  afterEach(() => sandbox.close());

  it('It has people without roles, and no project', async () => {
    const { body } = await manage(sandbox, `${projects}/ListProjects`, {});
    expect(body).toEqual({ pagination: { appliedLimit: '100' } });
    const people = sandbox.users.filter(({ kind }) => kind === 'human').map(({ loginName }) => loginName);
    expect(people).toEqual(
      ['alice', 'bob', 'carol', 'erin'].map((name) => expect.stringContaining(`${name}@`)),
    );
    expect(sandbox.users.flatMap(({ authorizations }) => authorizations)).toEqual([]);
  });

  it('It refuses the client ids that a sandbox otherwise has', async () => {
    const { status, json } = await new RelyingParty(sandbox).authorize();
    expect([status, json['error_description']]).toEqual([400, 'Errors.App.NotFound']);
  });

  it('It signs people in to an application that was made, with the roles that were granted', async () => {
    const { projectId, clientId } = await madeProject(sandbox);
    await manage(sandbox, 'authorization.v2.AuthorizationService/CreateAuthorization', {
      userId: aliceId,
      projectId,
      organizationId: acme,
      roleKeys: ['admin'],
    });
    const tokens = await new RelyingParty(sandbox, { clientId, appId: '' }).signIn();
    expect(tokens.claims.aud).toEqual([clientId, projectId]);
    const { json } = await new RelyingParty(sandbox).userinfo(tokens.access_token);
    expect(json['urn:zitadel:iam:org:project:roles']).toEqual({ admin: { [acme]: 'acme.example' } });
    expect(tokens.refresh_token).not.toBe('');
  });

  it('It lets an API application with a made key introspect, until the key is deleted', async () => {
    const { projectId, clientId } = await madeProject(sandbox);
    const { body: api } = await manage(sandbox, `${applications}/CreateApplication`, {
      projectId,
      name: 'API',
      apiConfiguration: { authMethodType: 'API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT' },
    });
    const ids = { projectId, applicationId: api['applicationId'] };
    const { body: made } = await manage(sandbox, `${applications}/CreateApplicationKey`, {
      ...ids,
      expirationDate: later,
    });
    const key = decoded(made['keyDetails']) as ApplicationKeyFile;
    const { access_token } = await new RelyingParty(sandbox, { clientId, appId: '' }).signIn();
    expect((await introspect(sandbox, access_token, key)).json['active']).toBe(true);
    await manage(sandbox, `${applications}/DeleteApplicationKey`, { ...ids, keyId: key.keyId });
    expect((await introspect(sandbox, access_token, key)).status).toBe(400);
  });

  it('It takes the token of a service user with a made key only with the scope of Zitadel itself', async () => {
    const { body: user } = await manage(sandbox, 'user.v2.UserService/CreateUser', {
      organizationId: acme,
      username: 'robot',
      machine: { name: 'Robot' },
    });
    await manage(sandbox, 'internal_permission.v2.InternalPermissionService/CreateAdministrator', {
      userId: user['id'],
      resource: { organizationId: acme },
      roles: ['ORG_OWNER'],
    });
    const { body } = await manage(sandbox, 'user.v2.UserService/AddKey', {
      userId: user['id'],
      expirationDate: later,
    });
    const key = decoded(body['keyContent']) as ServiceUserKeyFile;
    const statuses = [];
    for (const scope of ['openid urn:zitadel:iam:org:project:id:zitadel:aud', 'openid']) {
      const { json } = await new Browser().post(`${sandbox.issuer}/oauth/v2/token`, {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await assertion(key, sandbox.issuer),
        scope,
      });
      statuses.push(
        (await manage(sandbox, `${projects}/ListProjects`, {}, String(json['access_token']))).status,
      );
    }
    expect(statuses).toEqual([200, 401]);
  });

  it('It resets grant types and login version of an update that does not name them', async () => {
    const { projectId, applicationId } = await madeProject(sandbox);
    await manage(sandbox, `${applications}/UpdateApplication`, {
      projectId,
      applicationId,
      oidcConfiguration: { redirectUris: ['http://localhost:3009/auth/callback'] },
    });
    const { body } = await manage(sandbox, `${applications}/GetApplication`, { applicationId });
    expect(body['application']).toMatchObject({
      oidcConfiguration: { grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE'] },
    });
    expect(JSON.stringify(body)).not.toContain('loginVersion');
  });

  it('It ends the access tokens of a person who was deactivated', async () => {
    const { clientId } = await madeProject(sandbox);
    const party = new RelyingParty(sandbox, { clientId, appId: '' });
    const { access_token } = await party.signIn();
    await manage(sandbox, 'user.v2.UserService/DeactivateUser', { userId: aliceId });
    expect((await party.userinfo(access_token)).status).toBe(401);
  });
});

describe('The management API', () => {
  it('It shows in searches with a lag of two what was there before, twice', async () => {
    await withSandbox({ empty: true, projectionLag: 2 }, async (sandbox) => {
      const { projectId } = await madeProject(sandbox);
      const seen = [];
      for (let search = 0; search < 3; search++) {
        const { body } = await manage(sandbox, `${projects}/ListProjects`, {});
        seen.push(((body['projects'] as unknown[] | undefined) ?? []).length);
      }
      expect(seen).toEqual([0, 0, 1]);
      await manage(sandbox, `${projects}/UpdateProject`, { projectId, name: 'Other' });
      const names = [];
      for (let search = 0; search < 3; search++) {
        const { body } = await manage(sandbox, `${projects}/ListProjects`, {});
        names.push((body['projects'] as { name: string }[])[0]?.name);
      }
      expect(names).toEqual(['Made', 'Made', 'Other']);
    });
  });

  it('It has no services for projects and applications when it stands for an older Zitadel', async () => {
    await withSandbox({ empty: true, hasManagementV2: false }, async (sandbox) => {
      const answer = await manage(sandbox, `${projects}/ListProjects`, {});
      expect(answer).toEqual({ status: 404, body: { code: 5, message: 'Not Found' } });
      expect((await manage(sandbox, 'user.v2.UserService/ListUsers', {})).status).toBe(200);
    });
  });

  it('It answers 404 to a token without any role, and 403 to one whose role does not suffice', async () => {
    await withSandbox({ empty: true, users: [{ loginName: 'robot', kind: 'machine' }] }, async (sandbox) => {
      const robot = sandbox.users.find(({ loginName }) => loginName === 'robot');
      const create = () =>
        manage(sandbox, `${projects}/CreateProject`, { organizationId: acme, name: 'Mine' }, robot?.pat);
      const refused = await create();
      expect([refused.status, refused.body['message']]).toEqual([404, 'membership not found (AUTHZ-cdgFk)']);
      const { projectId } = await madeProject(sandbox);
      await manage(sandbox, 'internal_permission.v2.InternalPermissionService/CreateAdministrator', {
        userId: robot?.id,
        resource: { projectId },
        roles: ['PROJECT_OWNER'],
      });
      const forbidden = await create();
      expect([forbidden.status, forbidden.body['code']]).toEqual([403, 'permission_denied']);
    });
  });
});

function decoded(base64: unknown): unknown {
  return JSON.parse(Buffer.from(String(base64), 'base64').toString());
}
