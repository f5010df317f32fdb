import { serviceUserKeyFile, type AddedKey, type ServiceUserKeyFile } from '../keys/key-file.js';
import { idFor } from '../storage/ids.js';
import { defaultIds } from './applications.js';
import { Organizations, type Organization, type OrganizationSpec } from './organizations.js';

/** Roles that an organization grants to a user of another organization, or in another project. */
export interface RoleGrant {
  /** name of the granting organization; default: the user's own */
  organization?: string;
  /** id of the project; default: the sandbox's project */
  projectId?: string;
  roles: string[];
}

/** The specification of a user; everything but the login name has a default. */
export interface UserSpec {
  loginName: string;
  /** a person or a service user; a service user has a key, a client secret and a personal access token */
  kind?: 'human' | 'machine';
  id?: string;
  password?: string;
  /** what the user has set up beside the password: an authenticator app, or a passkey in its place */
  secondFactor?: 'totp' | 'passkey';
  givenName?: string;
  familyName?: string;
  displayName?: string;
  nickname?: string;
  gender?: 'female' | 'male' | 'diverse';
  /** null (default): the user has no language and the `locale` claim is null */
  locale?: string | null;
  email?: string;
  emailVerified?: boolean;
  phone?: string;
  phoneVerified?: boolean;
  picture?: string;
  /** name of the organization the user belongs to; default `Acme` */
  organization?: string;
  /** roles granted by the user's own organization */
  roles?: string[];
  /** further grants */
  grants?: RoleGrant[];
  metadata?: Record<string, string>;
  /** names of the user's groups (a future version of Zitadel) */
  groups?: string[];
  /** one line for the login page: what this user is useful for */
  goodFor?: string;
  /** type of a service user's access tokens; default `opaque`, as in Zitadel */
  accessTokenType?: 'opaque' | 'jwt';
  clientSecret?: string;
}

/** The state that an administrator sets. */
export type UserState = 'active' | 'inactive' | 'locked' | 'removed';

/** The roles that an organization has granted to a user in a project (Zitadel: "authorization", "user grant"). */
export interface Authorization {
  organization: Organization;
  projectId: string;
  roles: string[];
  /** default true */
  active?: boolean;
}

/** A user of a running sandbox. */
export interface SandboxUser extends UserSpec {
  kind: 'human' | 'machine';
  id: string;
  password: string;
  displayName: string;
  /** granted by the user's own organization in the sandbox's project */
  roles: string[];
  goodFor: string;
  state: UserState;
  readonly active: boolean;
  /** the organization the user belongs to (Zitadel: "resource owner") */
  home: Organization;
  authorizations: Authorization[];
  /** service users only: the key JSON in the format of Zitadel's console; generated on first access */
  readonly key?: ServiceUserKeyFile;
  /** service users only: keys that the management API made */
  addedKeys?: AddedKey<ServiceUserKeyFile>[];
  /** service users only: a personal access token */
  pat?: string;
  /** made by the management API without a password */
  isUninitialized?: boolean;
  /** of an invitation, until the user has set a password with it */
  inviteCode?: string;
}

/** The roles of the sandbox's project that an organization other than its owner may grant. */
export interface ProjectGrant {
  /** name of the organization */
  organization: string;
  roles: string[];
}

export const defaultPassword = 'Password1!';

/** The default users: four people and a service user. */
export const defaultUsers: readonly UserSpec[] = [
  {
    loginName: 'alice@acme.example',
    id: '320000000000000011',
    givenName: 'Alice',
    familyName: 'Archer',
    nickname: 'ali',
    gender: 'female',
    locale: 'en',
    email: 'alice@acme.example',
    emailVerified: true,
    phone: '+41791234567',
    phoneVerified: true,
    organization: 'Acme',
    roles: ['admin', 'editor'],
    metadata: { team: 'Platform', 'cost-center': '4711?>' },
    goodFor: 'an administrator: roles admin and editor in Acme, verified e-mail, metadata',
  },
  {
    loginName: 'bob@acme.example',
    id: '320000000000000012',
    givenName: 'Bob',
    familyName: 'Baker',
    locale: 'de',
    email: 'bob@acme.example',
    emailVerified: false,
    organization: 'Acme',
    goodFor: 'a plain user: no role, e-mail not verified',
  },
  {
    loginName: 'carol@globex.example',
    id: '320000000000000013',
    givenName: 'Carol',
    familyName: 'Castillo',
    gender: 'diverse',
    locale: 'es',
    email: 'carol@globex.example',
    emailVerified: true,
    organization: 'Globex',
    roles: ['editor'],
    metadata: { team: 'Sales' },
    goodFor: 'a user of another organization: role editor, granted by Globex',
  },
  {
    loginName: 'erin@acme.example',
    id: '320000000000000016',
    secondFactor: 'totp',
    givenName: 'Erin',
    familyName: 'Eriksen',
    locale: 'de',
    email: 'erin@acme.example',
    emailVerified: true,
    organization: 'Acme',
    goodFor: 'a user with a second factor: password and one-time code',
  },
  {
    loginName: 'robot@acme.example',
    kind: 'machine',
    id: '320000000000000014',
    displayName: 'Robot',
    organization: 'Acme',
    roles: ['viewer'],
    clientSecret: 'robot-client-secret-of-the-sandbox',
    goodFor: 'a service user: key, client secret, personal access token; role viewer',
  },
];

/** name of the organization that owns the sandbox's project */
export const projectOwner = 'Acme';

/** All users of a sandbox, and the organizations they belong to. */
export class Directory {
  readonly users: SandboxUser[];
  private readonly organizationList: Organizations;

  /**
   * `projectGrants` are the organizations besides the project's owner that may grant roles; default: all.
   *
   * @throws Error when a user has a role from an organization that may not grant it
   */
  constructor(
    specs: readonly UserSpec[],
    organizations: readonly OrganizationSpec[] = [],
    private readonly projectGrants?: readonly ProjectGrant[],
  ) {
    this.organizationList = new Organizations(organizations);
    this.users = specs.map((spec) => this.userFrom(spec));
  }

  get people(): SandboxUser[] {
    return this.users.filter((user) => user.kind === 'human');
  }

  get organizations(): Organization[] {
    return this.organizationList.all;
  }

  byId(id: string | undefined): SandboxUser | undefined {
    return this.users.find((user) => user.id === id);
  }

  byLoginName(loginName: string | undefined): SandboxUser | undefined {
    return this.users.find((user) => user.loginName === loginName);
  }

  /** The person with that login name or e-mail address; Zitadel's login pages accept both. */
  findPerson(name: string | undefined): SandboxUser | undefined {
    return (
      this.people.find((user) => user.loginName === name) ??
      this.people.find((user) => user.email !== undefined && user.email === name)
    );
  }

  /** @throws Error when that organization may not grant the role */
  grantRole(user: SandboxUser, role: string, organization = user.home.name): Authorization {
    this.checkGrant(organization, role);
    const authorization = this.authorizationFrom(user, organization);
    const { roles } = authorization;
    if (!roles.includes(role)) roles.push(role);
    return authorization;
  }

  revokeRole(user: SandboxUser, role: string, organization = user.home.name): Authorization {
    const authorization = this.authorizationFrom(user, organization);
    const { roles } = authorization;
    if (roles.includes(role)) roles.splice(roles.indexOf(role), 1);
    return authorization;
  }

  /** Creates a user, without credentials when it is a service user. */
  add(spec: UserSpec): SandboxUser {
    const user = this.userFrom(spec);
    user.authorizations = [];
    if (user.kind === 'machine') {
      delete user.clientSecret;
      Object.defineProperty(user, 'key', { value: undefined });
    }
    this.users.push(user);
    return user;
  }

  addOrganization(name: string): Organization {
    return this.organizationList.named(name);
  }

  /** Deletes an organization and its users. */
  removeOrganization({ id, name }: Organization): void {
    for (const user of this.users.filter(({ home }) => home.id === id)) this.remove(user);
    this.organizationList.remove(name);
  }

  /** Deletes a user. */
  remove(user: SandboxUser): void {
    this.users.splice(this.users.indexOf(user), 1);
  }

  private authorizationFrom(user: SandboxUser, organization: string): Authorization {
    const known = user.authorizations.find(
      (one) => one.organization.name === organization && one.projectId === defaultIds.project,
    );
    if (known) return known;
    const added = {
      organization: this.organizationList.named(organization),
      projectId: defaultIds.project,
      roles: [],
    };
    user.authorizations.push(added);
    return added;
  }

  private checkGrant(organization: string, role: string): void {
    if (organization === projectOwner || this.projectGrants === undefined) return;
    const grant = this.projectGrants.find((one) => one.organization === organization);
    if (!grant) throw new Error(`Project Grant not found: ${organization}`);
    if (!grant.roles.includes(role)) {
      throw new Error(`Errors.Project.Role.NotFound: ${organization} may not grant ${role}`);
    }
  }

  /** Creates a user, with Zitadel's defaults for what `spec` leaves out. */
  private userFrom(spec: UserSpec): SandboxUser {
    const id = spec.id ?? idFor(`user ${spec.loginName}`);
    const name = [spec.givenName, spec.familyName].filter(Boolean).join(' ');
    const organization = spec.organization ?? projectOwner;
    const roles = [...(spec.roles ?? [])];
    const user: SandboxUser = {
      ...spec,
      kind: spec.kind ?? 'human',
      id,
      password: spec.password ?? defaultPassword,
      displayName: spec.displayName ?? (name || spec.loginName),
      organization,
      roles,
      goodFor: spec.goodFor ?? 'a user of the given list',
      state: 'active',
      get active() {
        return this.state === 'active';
      },
      home: this.organizationList.named(organization),
      authorizations: this.authorizationsFrom(spec, organization, roles),
    };
    if (user.kind === 'human') return user;
    user.clientSecret ??= `client-secret-of-${spec.loginName}`;
    return Object.defineProperty(user, 'key', {
      configurable: true,
      enumerable: true,
      get: () => serviceUserKeyFile(id),
    });
  }

  private authorizationsFrom({ grants = [] }: UserSpec, home: string, roles: string[]): Authorization[] {
    const all: RoleGrant[] = [{ roles }, ...grants.map((grant) => ({ ...grant, roles: [...grant.roles] }))];
    return all.map(({ organization = home, projectId = defaultIds.project, roles: granted }) => {
      if (projectId === defaultIds.project) for (const role of granted) this.checkGrant(organization, role);
      return { organization: this.organizationList.named(organization), projectId, roles: granted };
    });
  }
}
