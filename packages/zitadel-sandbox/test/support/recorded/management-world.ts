import type { Sandbox } from '../../../src/index.js';

type Json = Record<string, unknown>;
type Made = Record<string, string>;

/** Recorded ids and the sandbox's for the same things. */
export type Ids = Map<string, string>;

const inTwentyYears = '2046-01-01T00:00:00Z';
const code = {
  responseTypes: ['OIDC_RESPONSE_TYPE_CODE'],
  grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE'],
};

/** Makes in a sandbox what was there before the recording began, by the management API itself. */
export class ManagementWorld {
  /** personal access tokens by what `setup` of a recorded exchange says */
  readonly tokens = new Map<RegExp, string>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly ids: Ids,
  ) {}

  async make(): Promise<void> {
    this.tokens.set(/IAM_OWNER/, this.sandbox.personalAccessToken ?? '');
    for (const recorded of ['300000000000000009', '300000000000200002'])
      this.learn(recorded, this.sandbox.users[0]?.home.id);
    await this.serviceUserOf('C3 r-000000031', '300000000000000217', {
      id: '300000000000000220',
      username: 'perm-000000034',
      setup: /ORG_OWNER|ORG_PROJECT_CREATOR/,
      role: ['ORG_OWNER'],
    });
    await this.ownProject();
    await this.denyListProjects();
    await this.updatedApplications();
  }

  /** The project of the exchanges about single fields of an update. */
  private async updatedApplications(): Promise<void> {
    const organizationId = this.ids.get('300000000000000009') ?? '';
    const projectId = await this.project(organizationId, 'fq-000000020', '300000000000000186');
    const web = await this.call('application.v2.ApplicationService/CreateApplication', {
      projectId,
      name: 'web',
      oidcConfiguration: { redirectUris: ['http://localhost:3000/cb'], ...code, developmentMode: true },
    });
    const { applicationId } = await this.apiApplication(projectId);
    const { keyId } = await this.key(projectId, applicationId);
    this.learn('300000000000000185', web['applicationId']);
    this.learn('300000000000000188', applicationId);
    this.learn('300000000000000187', keyId);
  }

  private apiApplication(projectId: string): Promise<Made> {
    return this.call('application.v2.ApplicationService/CreateApplication', {
      projectId,
      name: 'a0',
      apiConfiguration: { authMethodType: 'API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT' },
    });
  }

  private key(projectId: string, applicationId: unknown): Promise<Made> {
    const expirationDate = '2030-01-01T00:00:00Z';
    return this.call('application.v2.ApplicationService/CreateApplicationKey', {
      projectId,
      applicationId,
      expirationDate,
    });
  }

  /** An organization with the project of the exchanges about missing rights. */
  private async ownProject(): Promise<void> {
    const none = { id: '300000000000000193', username: 'perm-000000021', setup: /no role|without a role/ };
    const organizationId = await this.serviceUserOf('Perm q-000000022', '300000000000000194', none);
    const projectId = await this.project(organizationId, 'ownq-000000027', '300000000000000195');
    await this.call('project.v2.ProjectService/AddProjectRole', {
      projectId,
      roleKey: 'admin',
      displayName: 'Admin',
    });
    await this.applications(projectId);
    await this.people(organizationId);
    await this.serviceUser(organizationId, {
      id: '300000000000000202',
      username: 'perm-000000025',
      setup: /PROJECT_OWNER/,
      role: ['PROJECT_OWNER', projectId],
    });
  }

  private async applications(projectId: string): Promise<void> {
    const web = await this.call('application.v2.ApplicationService/CreateApplication', {
      projectId,
      name: 'w0',
      oidcConfiguration: {
        redirectUris: ['http://localhost:3200/cb/w0'],
        postLogoutRedirectUris: ['http://localhost:3200/out'],
        responseTypes: code.responseTypes,
        grantTypes: [...code.grantTypes, 'OIDC_GRANT_TYPE_REFRESH_TOKEN'],
        authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE',
        developmentMode: true,
        accessTokenRoleAssertion: true,
        idTokenRoleAssertion: true,
        idTokenUserinfoAssertion: true,
      },
    });
    const api = await this.apiApplication(projectId);
    this.learn('300000000000000196', web['applicationId']);
    this.learn('300000000000000197', api['applicationId']);
    await this.key(projectId, api['applicationId']);
  }

  private async people(organizationId: string): Promise<void> {
    for (const [index, recorded] of [200, 201, 211].entries()) {
      const { id } = await this.call('user.v2.UserService/CreateUser', {
        organizationId,
        username: `u-00000002${7 + index}`,
        human: {
          profile: { givenName: 'Given', familyName: 'Family' },
          email: { email: 'u@example.test', isVerified: true },
        },
      });
      this.learn(`300000000000000${recorded}`, id);
    }
  }

  private async denyListProjects(): Promise<void> {
    const organizationId = this.ids.get('300000000000000009') ?? '';
    const projectId = await this.project(organizationId, 'deny list', '300000000000000225');
    await this.project(organizationId, 'no DNS', '300000000000000229');
    const application = await this.call('application.v2.ApplicationService/CreateApplication', {
      projectId,
      name: 'with an address',
      oidcConfiguration: { redirectUris: ['http://localhost:3000/cb'], ...code },
    });
    this.learn('300000000000000228', application['applicationId']);
  }

  private async project(organizationId: string, name: string, recorded: string): Promise<string> {
    const { projectId } = await this.call('project.v2.ProjectService/CreateProject', {
      organizationId,
      name,
      projectRoleAssertion: true,
    });
    return this.learn(recorded, projectId);
  }

  private async serviceUserOf(name: string, recorded: string, user: ServiceUser): Promise<string> {
    const made = await this.call('org.v2.OrganizationService/AddOrganization', { name });
    const organizationId = this.learn(recorded, made['organizationId']);
    await this.serviceUser(organizationId, user);
    return organizationId;
  }

  private async serviceUser(organizationId: string, user: ServiceUser): Promise<void> {
    const machine = { name: 'Perm' };
    const { username, setup, role } = user;
    const made = await this.call('user.v2.UserService/CreateUser', { organizationId, username, machine });
    const userId = this.learn(user.id, made['id']);
    if (role) {
      const [word, projectId] = role;
      const resource = projectId === undefined ? { organizationId } : { projectId };
      const administrator = { userId, resource, roles: [word] };
      await this.call('internal_permission.v2.InternalPermissionService/CreateAdministrator', administrator);
    }
    const { token } = await this.call('user.v2.UserService/AddPersonalAccessToken', {
      userId,
      expirationDate: inTwentyYears,
    });
    this.tokens.set(setup, token ?? '');
  }

  private learn(recorded: string, id: unknown): string {
    this.ids.set(recorded, String(id));
    return String(id);
  }

  private async call(method: string, message: Json): Promise<Made> {
    const answer = await fetch(`${this.sandbox.issuer}/zitadel.${method}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.sandbox.personalAccessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(message),
    });
    if (answer.status !== 200) throw new Error(`${method}: ${await answer.text()}`);
    return (await answer.json()) as Made;
  }
}

interface ServiceUser {
  /** as recorded */
  id: string;
  username: string;
  setup: RegExp;
  role?: [word: string, projectId?: string];
}
