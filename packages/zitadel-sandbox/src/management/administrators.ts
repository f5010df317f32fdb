import { z } from 'zod';
import type { AdministeredResource, Administrator } from '../directory/administrators.js';
import type { Instance } from '../instance/instance.js';
import { ManagementError } from './management.error.js';
import { listField, method, pageOf, pagination, text, type Method } from './method.js';
import { projectById } from './projects.js';
import { administratorRoles, levelOf } from './rights.js';

export const administratorService: Record<string, Method> = {
  CreateAdministrator: method(
    z.object({
      userId: text('CreateAdministratorRequest.UserId'),
      resource: z.object({
        instance: z.boolean().optional(),
        organizationId: z.string().optional(),
        projectId: z.string().optional(),
      }),
      roles: z.array(z.string()).min(1),
    }),
    ({ userId, resource: { organizationId, projectId }, roles }, { instance, rights }) => {
      const resource = {
        ...(organizationId !== undefined && { organizationId }),
        ...(projectId !== undefined && { projectId }),
      };
      const home = projectById(instance, projectId ?? '')?.organizationId ?? organizationId;
      rights.require('project.member.write', {
        ...resource,
        ...(home !== undefined && { organizationId: home }),
      });
      const level = levelOf(resource);
      const word = { instance: 'Instance', organization: 'Org', project: 'Project' }[level];
      if (roles.some((role) => !(role in administratorRoles[level])))
        throw new ManagementError('invalid_argument', `${word} member is invalid`, 'PROJECT-3m9ds');
      if (instance.administrators.find(userId, resource))
        throw new ManagementError('already_exists', `${word} member already exists`, 'PROJECT-PtXi1');
      const administrator = { userId, resource, roles };
      instance.administrators.add(administrator);
      instance.changes.created(administrator);
      return { creationDate: instance.changes.dates(administrator).creationDate };
    },
  ),

  ListAdministrators: method(
    z.object({
      pagination,
      filters: z
        .array(z.object({ inUserIdsFilter: z.object({ ids: z.array(z.string()) }).optional() }))
        .default([]),
    }),
    ({ pagination: wanted, filters }, { instance, user, rights }) => {
      const found = instance.administrators.all
        .filter(({ userId, resource }) => userId === user.id || rights.may('project.member.write', resource))
        .filter(({ userId }) =>
          filters.every(({ inUserIdsFilter }) => (inUserIdsFilter?.ids ?? [userId]).includes(userId)),
        )
        .flatMap((one) => instance.changes.seen(one, () => administratorView(instance, one)) ?? []);
      const { pagination: applied, page } = pageOf(found, wanted);
      return { pagination: applied, ...listField('administrators', page) };
    },
  ),
};

function administratorView(instance: Instance, administrator: Administrator) {
  const { userId, resource, roles } = administrator;
  const user = instance.directory.byId(userId);
  return {
    ...instance.changes.dates(administrator),
    user: { id: userId, preferredLoginName: user?.loginName, organizationId: user?.home.id },
    ...resourceView(instance, resource),
    roles,
  };
}

function resourceView(instance: Instance, { organizationId, projectId }: AdministeredResource): object {
  if (projectId !== undefined) {
    const project = projectById(instance, projectId);
    return { project: { id: projectId, name: project?.name, organizationId: project?.organizationId } };
  }
  if (organizationId === undefined) return { instance: true };
  const name = instance.directory.organizations.find(({ id }) => id === organizationId)?.name;
  return { organization: { id: organizationId, name } };
}
