import { z } from 'zod';
import { authorizationId, grantEvent } from '../actions/user-events.js';
import { timestamp } from '../directory/changes.js';
import type { Authorization, SandboxUser } from '../directory/users.js';
import type { Instance } from '../instance/instance.js';
import { ManagementError } from './management.error.js';
import { listField, method, pageOf, pagination, text, texts, type Caller, type Method } from './method.js';
import { roleOf } from './project-roles.js';
import { exists, projectById } from './projects.js';

const never = '0001-01-01T00:00:00Z';

export const authorizationService: Record<string, Method> = {
  CreateAuthorization: method(
    z.object({
      userId: text('CreateAuthorizationRequest.UserId'),
      projectId: text('CreateAuthorizationRequest.ProjectId'),
      organizationId: text('CreateAuthorizationRequest.OrganizationId'),
      roleKeys: texts,
    }),
    ({ userId, projectId, organizationId, roleKeys: roles = [] }, caller) => {
      const { instance, rights } = caller;
      rights.require('user.grant.write', { organizationId, projectId });
      const user = instance.directory.byId(userId);
      const organization = instance.directory.organizations.find(({ id }) => id === organizationId);
      const isOwner = projectById(instance, projectId)?.organizationId === organizationId;
      if (!user) throw refused('User could not be found', 'COMMAND-4f8sg');
      if (!isOwner || !organization) throw refused('Project Grant not found', 'COMMAND-4m9ff');
      checkRoles(instance, projectId, roles);
      const isThere = user.authorizations.some(
        (one) => one.projectId === projectId && one.organization.id === organizationId,
      );
      if (isThere) throw exists('User grant already exists');
      const authorization: Authorization = { organization, projectId, roles: [...roles] };
      user.authorizations.push(authorization);
      instance.changes.created(authorization);
      publish(caller, user, authorization, 'added', { userId, projectId, roleKeys: roles });
      const { creationDate } = instance.changes.dates(authorization);
      return { id: authorizationId(user, authorization), creationDate };
    },
  ),

  UpdateAuthorization: method(
    z.object({ id: text('UpdateAuthorizationRequest.Id'), roleKeys: texts }),
    ({ id, roleKeys: roles = [] }, caller) => {
      const { instance, rights } = caller;
      const { user, authorization } = required(instance, id);
      rights.require('user.grant.write', resourceOf(authorization));
      checkRoles(instance, authorization.projectId, roles);
      if (String([...roles].sort()) !== String([...authorization.roles].sort())) {
        change(instance, user, authorization, { roles: [...roles] });
        publish(caller, user, authorization, 'cascade.changed', { roleKeys: roles });
      }
      return { changeDate: instance.changes.dates(authorization).changeDate };
    },
  ),

  ActivateAuthorization: setActive('Activate', true),
  DeactivateAuthorization: setActive('Deactivate', false),

  DeleteAuthorization: method(z.object({ id: text('DeleteAuthorizationRequest.Id') }), ({ id }, caller) => {
    const { instance, rights } = caller;
    const found = byId(instance, id);
    if (!found) {
      rights.requireSome();
      return { deletionDate: never };
    }
    rights.require('user.grant.write', resourceOf(found.authorization));
    const { user, authorization } = found;
    const payload = { userId: user.id, projectId: authorization.projectId };
    publish(caller, user, authorization, 'removed', payload);
    found.user.authorizations = found.user.authorizations.filter((one) => one !== found.authorization);
    return { deletionDate: timestamp() };
  }),

  ListAuthorizations: method(
    z.object({
      pagination,
      filters: z
        .array(
          z.object({
            inUserIds: z.object({ ids: z.array(z.string()) }).optional(),
            projectId: z.object({ id: z.string() }).optional(),
          }),
        )
        .default([]),
    }),
    ({ pagination: wanted, filters }, { instance, rights }) => {
      const found = all(instance)
        .filter(({ authorization }) => rights.may('user.grant.read', resourceOf(authorization)))
        .filter(({ user, authorization }) =>
          filters.every(
            ({ inUserIds, projectId }) =>
              (inUserIds?.ids ?? [user.id]).includes(user.id) &&
              authorization.projectId === (projectId?.id ?? authorization.projectId),
          ),
        )
        .flatMap(({ user, authorization }) => {
          const view = () => authorizationView(instance, user, authorization);
          return instance.changes.seen(authorization, view) ?? [];
        });
      const { pagination: applied, page } = pageOf(found, wanted);
      return { pagination: applied, ...listField('authorizations', page) };
    },
  ),
};

function setActive(verb: 'Activate' | 'Deactivate', active: boolean): Method {
  return method(z.object({ id: text(`${verb}AuthorizationRequest.Id`) }), ({ id }, caller) => {
    const { instance, rights } = caller;
    const { user, authorization } = required(instance, id);
    rights.require('user.grant.write', resourceOf(authorization));
    if ((authorization.active ?? true) !== active) {
      change(instance, user, authorization, { active });
      publish(caller, user, authorization, active ? 'reactivated' : 'deactivated');
    }
    return { changeDate: instance.changes.dates(authorization).changeDate };
  });
}

function change(
  instance: Instance,
  user: SandboxUser,
  authorization: Authorization,
  changed: Partial<Authorization>,
): void {
  const before = authorizationView(instance, user, authorization);
  Object.assign(authorization, changed);
  instance.changes.changed(authorization, before);
}

function publish(
  { instance, user: caller }: Caller,
  user: SandboxUser,
  authorization: Authorization,
  what: string,
  event_payload?: object,
): void {
  const rest = { userID: caller.id, ...(event_payload && { event_payload }) };
  instance.events.publish(grantEvent(user, authorization, `user.grant.${what}`, rest));
}

interface Found {
  user: SandboxUser;
  authorization: Authorization;
}

function all({ directory }: Instance): Found[] {
  return directory.users.flatMap((user) =>
    user.authorizations.map((authorization) => ({ user, authorization })),
  );
}

function byId(instance: Instance, id: string): Found | undefined {
  return all(instance).find(({ user, authorization }) => authorizationId(user, authorization) === id);
}

function required(instance: Instance, id: string): Found {
  const found = byId(instance, id);
  if (!found) throw new ManagementError('not_found', 'User grant not found', 'COMMAND-3M9sd');
  return found;
}

function resourceOf({ organization, projectId }: Authorization) {
  return { organizationId: organization.id, projectId };
}

function checkRoles(instance: Instance, projectId: string, roles: readonly string[]): void {
  const known = projectById(instance, projectId)?.roles ?? [];
  if (roles.some((role) => !known.includes(role)))
    throw refused('Errors.Project.Role.NotFound', 'COMMAND-mm9F4');
}

function refused(sentence: string, id: string): ManagementError {
  return new ManagementError('failed_precondition', sentence, id);
}

function authorizationView(instance: Instance, user: SandboxUser, authorization: Authorization) {
  const { organization, projectId, roles, active = true } = authorization;
  const project = projectById(instance, projectId);
  return {
    id: authorizationId(user, authorization),
    ...instance.changes.dates(authorization),
    project: { id: projectId, name: project?.name ?? '', organizationId: project?.organizationId ?? '' },
    organization: { id: organization.id, name: organization.name },
    user: {
      id: user.id,
      preferredLoginName: user.loginName,
      displayName: user.displayName,
      organizationId: user.home.id,
    },
    state: active ? 'STATE_ACTIVE' : 'STATE_INACTIVE',
    ...listField(
      'roles',
      roles.map((key) => ({ key, displayName: project ? roleOf(project, key).displayName : key })),
    ),
  };
}
