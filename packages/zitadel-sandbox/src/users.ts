import { idFor } from './ids.js';
import { serviceUserKeyFile, type ServiceUserKeyFile } from './key-file.js';
import { organizationNamed, type Organization } from './organizations.js';

/** Roles that an organization grants to a user of another one, or in another project. */
export interface RoleGrant {
  /** name of the granting organization; the user's own if left out */
  organization?: string;
  /** id of the project; the sandbox's project if left out */
  projectId?: string;
  roles: string[];
}

/** What one says about a user; all but the login name has a default. */
export interface UserSpec {
  loginName: string;
  /** a person, or a service user (which has a key, a client secret and a personal access token) */
  kind?: 'human' | 'machine';
  id?: string;
  password?: string;
  givenName?: string;
  familyName?: string;
  displayName?: string;
  nickname?: string;
  gender?: 'female' | 'male' | 'diverse';
  locale?: string;
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
  /** names of the groups the user is in (a coming version of Zitadel) */
  groups?: string[];
  /** one line for the login page: what signing in as this user shows */
  goodFor?: string;
  /** kind of a service user's access tokens; Zitadel's default is `opaque` */
  accessTokenType?: 'opaque' | 'jwt';
  clientSecret?: string;
}

/** A user of a running sandbox. */
export interface SandboxUser extends UserSpec {
  kind: 'human' | 'machine';
  id: string;
  password: string;
  displayName: string;
  roles: string[];
  goodFor: string;
  active: boolean;
  /** service users only: the key JSON as Zitadel downloads it; made when first read */
  readonly key?: ServiceUserKeyFile;
  /** service users only: a personal access token */
  pat?: string;
}

export const defaultPassword = 'Password1!';

/** The people and the service user of a sandbox that was told nothing else. */
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

/** The user that this says, with Zitadel-shaped defaults for everything left out. */
function userFrom(spec: UserSpec): SandboxUser {
  const id = spec.id ?? idFor(`user ${spec.loginName}`);
  const name = [spec.givenName, spec.familyName].filter(Boolean).join(' ');
  const user: SandboxUser = {
    ...spec,
    kind: spec.kind ?? 'human',
    id,
    password: spec.password ?? defaultPassword,
    displayName: spec.displayName ?? (name || spec.loginName),
    organization: spec.organization ?? 'Acme',
    roles: [...(spec.roles ?? [])],
    goodFor: spec.goodFor ?? 'a user of your own list',
    active: true,
  };
  if (user.kind === 'human') return user;
  user.clientSecret ??= `client-secret-of-${spec.loginName}`;
  return Object.defineProperty(user, 'key', { enumerable: true, get: () => serviceUserKeyFile(id) });
}

/** All users of a sandbox. */
export class Directory {
  readonly users: SandboxUser[];

  constructor(specs: readonly UserSpec[]) {
    this.users = specs.map(userFrom);
  }

  get people(): SandboxUser[] {
    return this.users.filter((user) => user.kind === 'human');
  }

  get organizations(): Organization[] {
    const granting = this.users.flatMap((user) => user.grants ?? []).map((grant) => grant.organization);
    const owning = this.users.map((user) => user.organization);
    const names = new Set([...owning, ...granting, 'Acme', 'Globex'].filter((name) => name !== undefined));
    return [...names].map(organizationNamed);
  }

  byId(id: string | undefined): SandboxUser | undefined {
    return this.users.find((user) => user.id === id);
  }

  byLoginName(loginName: string | undefined): SandboxUser | undefined {
    return this.users.find((user) => user.loginName === loginName);
  }

  organizationOf(user: SandboxUser): Organization {
    return organizationNamed(user.organization ?? 'Acme');
  }
}
