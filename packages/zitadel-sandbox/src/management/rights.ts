import type { AdministeredResource, Administrator } from '../directory/administrators.js';
import type { Project } from '../directory/applications.js';
import { ManagementError } from './management.error.js';

export type Permission =
  | 'instance.settings'
  | 'session'
  | 'org.create'
  | 'org.delete'
  | 'project.create'
  | 'project.read'
  | 'project.write'
  | 'project.role.read'
  | 'project.app.delete'
  | 'project.member.write'
  | 'user.read'
  | 'user.write'
  | 'user.grant.read'
  | 'user.grant.write';

const users: Permission[] = ['user.read', 'user.write', 'user.grant.read', 'user.grant.write'];
const ownProject: Permission[] = [
  ...(['project.read', 'project.write', 'project.app.delete', 'project.member.write'] as const),
  ...(['user.grant.read', 'user.grant.write'] as const),
];
const all: Permission[] = [
  ...(['org.create', 'org.delete', 'project.create', 'project.role.read'] as const),
  ...new Set([...ownProject, ...users]),
];

/** The roles of administrators by the level they are for, with what they permit. */
export const administratorRoles: Record<
  'instance' | 'organization' | 'project',
  Record<string, Permission[]>
> = {
  instance: {
    IAM_OWNER: ['instance.settings', 'session', ...all],
    IAM_ORG_MANAGER: all,
    IAM_LOGIN_CLIENT: ['session', 'user.read', 'user.write'],
  },
  organization: {
    ORG_OWNER: all.filter((one) => one !== 'org.create' && one !== 'project.app.delete'),
    ORG_USER_MANAGER: users,
    ORG_PROJECT_CREATOR: ['project.create'],
  },
  project: { PROJECT_OWNER: ownProject },
};

export function levelOf({
  organizationId,
  projectId,
}: AdministeredResource): keyof typeof administratorRoles {
  if (projectId !== undefined) return 'project';
  return organizationId === undefined ? 'instance' : 'organization';
}

/** What the user of a request may do. */
export class Rights {
  constructor(
    private readonly memberships: readonly Administrator[],
    private readonly projects: readonly Project[],
  ) {}

  may(permission: Permission, resource: AdministeredResource): boolean {
    return this.memberships
      .filter(
        ({ resource: { organizationId, projectId } }) =>
          (organizationId ?? resource.organizationId) === resource.organizationId &&
          (projectId ?? resource.projectId) === resource.projectId,
      )
      .some(({ resource: own, roles }) =>
        roles.some((role) => administratorRoles[levelOf(own)][role]?.includes(permission)),
      );
  }

  /** @throws ManagementError 404 for somebody without a role around the resource, 403 for one whose role does not suffice */
  require(permission: Permission, resource: AdministeredResource): void {
    if (!this.memberships.some((one) => this.isAround(one, resource))) throw notAMember();
    if (!this.may(permission, resource)) {
      throw new ManagementError('permission_denied', 'No matching permissions found', 'AUTH-AWfge');
    }
  }

  /** @throws ManagementError 404 for somebody without any role */
  requireSome(): void {
    if (this.memberships.length === 0) throw notAMember();
  }

  private isAround({ resource }: Administrator, { organizationId }: AdministeredResource): boolean {
    const project = this.projects.find(({ id }) => id === resource.projectId);
    const home = project ? project.organizationId : resource.organizationId;
    return home === undefined || home === organizationId;
  }
}

function notAMember(): ManagementError {
  return new ManagementError('not_found', 'membership not found', 'AUTHZ-cdgFk');
}
