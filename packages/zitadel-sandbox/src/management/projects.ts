import { z } from 'zod';
import type { Project } from '../directory/applications.js';
import { timestamp } from '../directory/changes.js';
import type { Instance } from '../instance/instance.js';
import { newId } from '../storage/ids.js';
import { ManagementError } from './management.error.js';
import { listField, method, pageOf, pagination, passes, text, textFilter, type Method } from './method.js';

export const projectService: Record<string, Method> = {
  CreateProject: method(
    z.object({
      organizationId: text('CreateProjectRequest.OrganizationId'),
      name: text('CreateProjectRequest.Name'),
      projectRoleAssertion: z.boolean().default(false),
      authorizationRequired: z.boolean().default(false),
    }),
    ({ organizationId, name, projectRoleAssertion, authorizationRequired }, { instance, rights }) => {
      rights.require('project.create', { organizationId });
      const { applications, changes } = instance;
      const isTaken = applications.projects.some(
        (one) => one.organizationId === organizationId && one.name === name,
      );
      if (isTaken) throw exists('Project already exists on organization');
      const settings = { roleAssertion: projectRoleAssertion, authorizationRequired };
      const project: Project = { id: newId(), name, roles: [], organizationId, ...settings };
      applications.projects.push(project);
      changes.created(project);
      return { projectId: project.id, creationDate: changes.dates(project).creationDate };
    },
  ),

  UpdateProject: method(
    z.object({
      projectId: text('UpdateProjectRequest.ProjectId'),
      name: z.string().min(1).optional(),
      projectRoleAssertion: z.boolean().optional(),
      authorizationRequired: z.boolean().optional(),
    }),
    ({ projectId, ...wanted }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (!project) throw new ManagementError('not_found', 'Project not found', 'COMMAND-3M9sd');
      const before = projectView(instance, project);
      const settings = {
        name: wanted.name ?? project.name,
        roleAssertion: wanted.projectRoleAssertion ?? project.roleAssertion,
        authorizationRequired: wanted.authorizationRequired ?? project.authorizationRequired ?? false,
      };
      if (Object.entries(settings).some(([key, value]) => project[key as keyof Project] !== value)) {
        Object.assign(project, settings);
        instance.changes.changed(project, before);
      }
      return { changeDate: instance.changes.dates(project).changeDate };
    },
  ),

  ActivateProject: setActive('Activate', true),
  DeactivateProject: setActive('Deactivate', false),

  GetProject: method(
    z.object({ projectId: text('GetProjectRequest.ProjectId') }),
    ({ projectId }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      const seen = project && instance.changes.seen(project, () => projectView(instance, project));
      rights.require('project.read', resourceOf(project, projectId));
      if (!seen) throw new ManagementError('not_found', 'Project not found', 'QUERY-fk2fs');
      return { project: seen };
    },
  ),

  ListProjects: method(
    z.object({
      pagination,
      filters: z
        .array(
          z.object({
            projectNameFilter: z.object({ projectName: z.string(), method: textFilter }).optional(),
            organizationIdFilter: z.object({ organizationId: z.string() }).optional(),
            inProjectIdsFilter: z.object({ ids: z.array(z.string()) }).optional(),
          }),
        )
        .default([]),
    }),
    ({ pagination: wanted, filters }, { instance, rights }) => {
      rights.requireSome();
      const found = instance.applications.projects
        .filter(({ id, name, organizationId }) =>
          filters.every(
            ({ projectNameFilter, organizationIdFilter, inProjectIdsFilter }) =>
              passes(name, projectNameFilter?.projectName ?? name, projectNameFilter?.method) &&
              organizationId === (organizationIdFilter?.organizationId ?? organizationId) &&
              (inProjectIdsFilter?.ids ?? [id]).includes(id),
          ),
        )
        .flatMap((one) => instance.changes.seen(one, () => projectView(instance, one)) ?? []);
      const { pagination: applied, page } = pageOf(found, wanted, (view) => rights.may('project.read', view));
      return { pagination: applied, ...listField('projects', page) };
    },
  ),

  DeleteProject: method(
    z.object({ projectId: text('DeleteProjectRequest.ProjectId') }),
    ({ projectId }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (project) removeProject(instance, project);
      return { deletionDate: timestamp() };
    },
  ),
};

function setActive(verb: 'Activate' | 'Deactivate', active: boolean): Method {
  return method(
    z.object({ projectId: text(`${verb}ProjectRequest.ProjectId`) }),
    ({ projectId }, { instance, rights }) => {
      const project = projectById(instance, projectId);
      rights.require('project.write', resourceOf(project, projectId));
      if (!project) throw new ManagementError('not_found', 'Project not found', 'COMMAND-112M9');
      const before = projectView(instance, project);
      project.active = active;
      instance.changes.changed(project, before);
      return { changeDate: instance.changes.dates(project).changeDate };
    },
  );
}

export function removeProject({ applications, directory }: Instance, project: Project): void {
  applications.remove(...applications.all.filter((one) => one.project === project), project);
  for (const user of directory.users) {
    user.authorizations = user.authorizations.filter((one) => one.projectId !== project.id);
  }
}

export function projectById({ applications }: Instance, projectId: string): Project | undefined {
  return applications.projects.find(({ id }) => id === projectId);
}

/** What rights are asked about: the project in its organization. */
export function resourceOf(project: Project | undefined, projectId: string) {
  return { projectId, ...(project && { organizationId: project.organizationId }) };
}

export function exists(sentence: string): ManagementError {
  return new ManagementError('already_exists', sentence, 'V3-DKcYh');
}

function projectView({ changes }: Instance, project: Project) {
  return {
    projectId: project.id,
    organizationId: project.organizationId,
    ...changes.dates(project),
    name: project.name,
    state: (project.active ?? true) ? 'PROJECT_STATE_ACTIVE' : 'PROJECT_STATE_INACTIVE',
    ...(project.roleAssertion && { projectRoleAssertion: true }),
    ...(project.authorizationRequired && { authorizationRequired: true }),
  };
}
