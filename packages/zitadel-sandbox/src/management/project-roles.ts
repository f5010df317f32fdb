import { z } from 'zod';
import { grantEvent } from '../actions/user-events.js';
import type { Project } from '../directory/applications.js';
import { timestamp } from '../directory/changes.js';
import type { Instance } from '../instance/instance.js';
import { ManagementError } from './management.error.js';
import { listField, method, pageOf, pagination, passes, text, textFilter, type Method } from './method.js';
import { exists, projectById, resourceOf } from './projects.js';

interface Role {
  key: string;
  displayName: string;
}

/** The display names of roles, and when they were changed; the key itself where the role was made without one. */
const roles = new WeakMap<Project, Map<string, Role>>();

export const projectRoleMethods: Record<string, Method> = {
  AddProjectRole: method(
    z.object({
      projectId: text('AddProjectRoleRequest.ProjectId'),
      roleKey: text('AddProjectRoleRequest.RoleKey'),
      displayName: text('AddProjectRoleRequest.DisplayName'),
    }),
    ({ projectId, roleKey, displayName }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (!project) throw noProject();
      if (project.roles.includes(roleKey)) throw exists('Role already exists');
      project.roles.push(roleKey);
      const role = roleOf(project, roleKey, displayName);
      instance.changes.created(role);
      return { creationDate: instance.changes.dates(role).creationDate };
    },
  ),

  UpdateProjectRole: method(
    z.object({
      projectId: text('UpdateProjectRoleRequest.ProjectId'),
      roleKey: text('UpdateProjectRoleRequest.RoleKey'),
      displayName: z.string().min(1).optional(),
    }),
    ({ projectId, roleKey, displayName }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (!project?.roles.includes(roleKey)) {
        throw new ManagementError('not_found', "Role doesn't exist", 'COMMAND-vv8M9');
      }
      const role = roleOf(project, roleKey);
      if (displayName !== undefined && displayName !== role.displayName) {
        const before = roleView(instance, project, role);
        role.displayName = displayName;
        instance.changes.changed(role, before);
      }
      return { changeDate: instance.changes.dates(role).changeDate };
    },
  ),

  RemoveProjectRole: method(
    z.object({
      projectId: text('RemoveProjectRoleRequest.ProjectId'),
      roleKey: text('RemoveProjectRoleRequest.RoleKey'),
    }),
    ({ projectId, roleKey }, { instance, rights, user: caller }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (project?.roles.includes(roleKey)) {
        publishRemoval(instance, project, roleKey, caller.id);
        project.roles.splice(project.roles.indexOf(roleKey), 1);
        roles.get(project)?.delete(roleKey);
      }
      for (const { authorizations } of instance.directory.users) {
        for (const one of authorizations.filter((each) => each.projectId === projectId)) {
          one.roles = one.roles.filter((role) => role !== roleKey);
        }
      }
      return { removalDate: timestamp() };
    },
  ),

  ListProjectRoles: method(
    z.object({
      projectId: text('ListProjectRolesRequest.ProjectId'),
      pagination,
      filters: z
        .array(z.object({ roleKeyFilter: z.object({ key: z.string(), method: textFilter }).optional() }))
        .default([]),
    }),
    ({ projectId, pagination: wanted, filters }, { instance, rights }) => {
      rights.requireSome();
      const project = projectById(instance, projectId);
      const found = (project?.roles ?? [])
        .filter((key) =>
          filters.every(({ roleKeyFilter }) => passes(key, roleKeyFilter?.key ?? key, roleKeyFilter?.method)),
        )
        .flatMap((key) => {
          if (!project) return [];
          const role = roleOf(project, key);
          return instance.changes.seen(role, () => roleView(instance, project, role)) ?? [];
        });
      const { pagination: applied, page } = pageOf(found, wanted, () =>
        rights.may('project.role.read', resourceOf(project, projectId)),
      );
      return { pagination: applied, ...listField('projectRoles', page) };
    },
  ),
};

/** Of the role, and of each authorization that has it; its payload is empty when no role is left. */
function publishRemoval(
  { directory, events }: Instance,
  project: Project,
  key: string,
  userID: string,
): void {
  const { id, organizationId: resourceOwner } = project;
  const event = { aggregateID: id, aggregateType: 'project', resourceOwner, userID } as const;
  events.publish({ ...event, event_type: 'project.role.removed', event_payload: { key } });
  for (const user of directory.users) {
    for (const one of user.authorizations.filter(
      (each) => each.projectId === id && each.roles.includes(key),
    )) {
      const roleKeys = one.roles.filter((role) => role !== key);
      const event_payload = roleKeys.length > 0 ? { roleKeys } : {};
      events.publish(grantEvent(user, one, 'user.grant.cascade.changed', { userID, event_payload }));
    }
  }
}

export function noProject(): ManagementError {
  return new ManagementError('failed_precondition', 'Project not found', 'COMMAND-EbFMN');
}

export function roleOf(project: Project, key: string, displayName = key): Role {
  const known = roles.get(project) ?? new Map<string, Role>();
  roles.set(project, known);
  const role = known.get(key) ?? { key, displayName };
  known.set(key, role);
  return role;
}

function roleView({ changes }: Instance, { id }: Project, role: Role) {
  return { projectId: id, key: role.key, ...changes.dates(role), displayName: role.displayName };
}
