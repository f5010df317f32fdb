import { z } from 'zod';
import { timestamp } from '../directory/changes.js';
import type { Organization } from '../directory/organizations.js';
import type { Instance } from '../instance/instance.js';
import { listField, method, passes, text, textFilter, type Method } from './method.js';
import { ManagementError } from './management.error.js';
import { removeProject } from './projects.js';

const never = '0001-01-01T00:00:00Z';

export const organizationService: Record<string, Method> = {
  AddOrganization: method(
    z.object({ name: text('AddOrganizationRequest.Name') }),
    ({ name }, { instance, rights }) => {
      rights.require('org.create', {});
      const { directory, changes } = instance;
      if (directory.organizations.some((one) => one.name === name))
        throw new ManagementError('already_exists', "Organisation's name or id already taken", 'V3-DKcYh');
      const organization = directory.addOrganization(name);
      changes.created(organization);
      return { details: detailsOf(instance, organization), organizationId: organization.id };
    },
  ),

  ListOrganizations: method(
    z.object({
      queries: z
        .array(
          z.object({
            nameQuery: z.object({ name: z.string(), method: textFilter }).optional(),
            idQuery: z.object({ id: z.string() }).optional(),
          }),
        )
        .default([]),
    }),
    ({ queries }, { instance, user, rights }) => {
      const found = instance.directory.organizations.filter(({ id, name }) =>
        queries.every(
          ({ nameQuery, idQuery }) =>
            passes(name, nameQuery?.name ?? name, nameQuery?.method) && id === (idQuery?.id ?? id),
        ),
      );
      const views = found
        .filter(({ id }) => rights.may('project.create', { organizationId: id }))
        .flatMap((one) => instance.changes.seen(one, () => organizationView(instance, one)) ?? []);
      const total = found.length === 0 ? {} : { totalResult: String(found.length) };
      return {
        details: { ...total, timestamp: instance.changes.dates(user).changeDate },
        ...listField('result', views),
      };
    },
  ),

  DeleteOrganization: method(
    z.object({ organizationId: text('DeleteOrganizationRequest.OrganizationId') }),
    ({ organizationId }, { instance, rights }) => {
      rights.require('org.delete', { organizationId });
      const { directory, applications } = instance;
      const organization = directory.organizations.find(({ id }) => id === organizationId);
      if (!organization) return { deletionDate: never };
      for (const project of applications.projects.filter((one) => one.organizationId === organizationId))
        removeProject(instance, project);
      directory.removeOrganization(organization);
      return { deletionDate: timestamp() };
    },
  ),
};

function detailsOf({ changes }: Instance, organization: Organization) {
  const { changeDate } = changes.dates(organization);
  return { sequence: '4', changeDate, resourceOwner: organization.id };
}

function organizationView(instance: Instance, organization: Organization) {
  const { id, name, primaryDomain } = organization;
  const { creationDate } = instance.changes.dates(organization);
  const details = { ...detailsOf(instance, organization), creationDate };
  return { id, details, state: 'ORGANIZATION_STATE_ACTIVE', name, primaryDomain };
}
