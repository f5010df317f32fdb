import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Application, Project } from '../directory/applications.js';
import { timestamp } from '../directory/changes.js';
import type { Instance } from '../instance/instance.js';
import { newId } from '../storage/ids.js';
import { addClient } from '../storage/provider.js';
import { ManagementError } from './management.error.js';
import {
  listField,
  method,
  pageOf,
  pagination,
  passes,
  text,
  textFilter,
  type Caller,
  type Method,
} from './method.js';
import {
  apiSettingsFrom,
  apiView,
  complianceOf,
  createRequest,
  hasFirstGrant,
  isBackChannelUriAllowed,
  oidcView,
  settingsFrom,
  updateRequest,
} from './oidc-settings.js';
import { exists, projectById, resourceOf } from './projects.js';
import { noProject } from './project-roles.js';

export const applicationMethods: Record<string, Method> = {
  CreateApplication: method(createRequest, async (request, { instance, rights }) => {
    const { projectId, name, oidcConfiguration, apiConfiguration } = request;
    const project = projectById(instance, projectId);
    rights.require('project.write', resourceOf(project, projectId));
    if (!project) throw noProject();
    const settings = oidcConfiguration
      ? settingsFrom(oidcConfiguration)
      : apiSettingsFrom(apiConfiguration ?? {});
    checkSettings(settings, instance);
    if (namesIn(instance, project).includes(name)) throw exists('Application already exists');
    const application = newApplication(instance, project, name, oidcConfiguration ? 'oidc' : 'api', settings);
    instance.applications.all.push(application);
    await addClient(instance.store, application.clientId);
    instance.changes.created(application);
    const { clientId, clientSecret, appId } = application;
    const made = { clientId, ...(clientSecret !== undefined && { clientSecret }) };
    return {
      applicationId: appId,
      creationDate: instance.changes.dates(application).creationDate,
      ...(oidcConfiguration
        ? { oidcConfiguration: { ...made, ...complianceOf(application) } }
        : { apiConfiguration: made }),
    };
  }),

  UpdateApplication: method(updateRequest, (request, { instance, rights }) => {
    const { name, oidcConfiguration, apiConfiguration } = request;
    const application = writable(instance, rights, request);
    if (!application) throw noApplication('COMMAND-2n8uU');
    const before = applicationView(instance, application);
    const settings = oidcConfiguration
      ? settingsFrom(oidcConfiguration)
      : apiConfiguration
        ? apiSettingsFrom(apiConfiguration)
        : undefined;
    if (name !== undefined) rename(instance, application, name);
    if (settings) {
      checkSettings(settings, instance);
      Object.assign(application, withInstanceLogin(settings, instance));
      // both have the dates of the last change
      if (JSON.stringify(before) === JSON.stringify(applicationView(instance, application)))
        throw noChanges('COMMAND-1m88i');
    }
    instance.changes.changed(application, before);
    return { changeDate: instance.changes.dates(application).changeDate };
  }),

  GetApplication: method(
    z.object({ applicationId: text('GetApplicationRequest.ApplicationId') }),
    ({ applicationId }, { instance, rights }) => {
      const application = instance.applications.all.find(({ appId }) => appId === applicationId);
      const seen =
        application && instance.changes.seen(application, () => applicationView(instance, application));
      if (!application || !seen) {
        rights.requireSome();
        throw new ManagementError('not_found', 'Errors.App.NotExisting', 'QUERY-pCP8P');
      }
      rights.require('project.read', resourceOf(application.project, application.project.id));
      return { application: seen };
    },
  ),

  ListApplications: method(
    z.object({
      pagination,
      filters: z
        .array(
          z.object({
            projectIdFilter: z.object({ projectId: z.string() }).optional(),
            nameFilter: z.object({ name: z.string(), method: textFilter }).optional(),
            clientIdFilter: z.object({ clientId: z.string() }).optional(),
          }),
        )
        .default([]),
    }),
    ({ pagination: wanted, filters }, { instance, rights }) => {
      const found = instance.applications.all
        .filter(({ name, clientId, project }) =>
          filters.every(
            ({ projectIdFilter, nameFilter, clientIdFilter }) =>
              project.id === (projectIdFilter?.projectId ?? project.id) &&
              passes(name, nameFilter?.name ?? name, nameFilter?.method) &&
              clientId === (clientIdFilter?.clientId ?? clientId),
          ),
        )
        .flatMap((one) => instance.changes.seen(one, () => applicationView(instance, one)) ?? []);
      const { pagination: applied, page } = pageOf(found, wanted, ({ projectId }) =>
        rights.may('project.read', resourceOf(projectById(instance, projectId), projectId)),
      );
      return { ...listField('applications', page), pagination: applied };
    },
  ),

  DeactivateApplication: setActive('Deactivate', false, 'deactivationDate', 'COMMAND-dsh35', 'not active'),
  ReactivateApplication: setActive('Reactivate', true, 'reactivationDate', 'COMMAND-1n8cM', 'not inactive'),

  DeleteApplication: method(
    z.object({
      applicationId: text('DeleteApplicationRequest.ApplicationId'),
      projectId: text('DeleteApplicationRequest.ProjectId'),
    }),
    (request, { instance, rights }) => {
      const application = writable(instance, rights, request, 'project.app.delete');
      if (!application) throw noApplication('COMMAND-0po9s');
      instance.applications.remove(application);
      return { deletionDate: timestamp() };
    },
  ),

  GenerateClientSecret: method(
    z.object({
      applicationId: text('GenerateClientSecretRequest.ApplicationId'),
      projectId: text('GenerateClientSecretRequest.ProjectId'),
    }),
    (request, { instance, rights }) => {
      const application = writable(instance, rights, request);
      if (!application) throw noApplication('COMMAND-2g66f');
      application.clientSecret = newSecret();
      return { clientSecret: application.clientSecret, creationDate: timestamp() };
    },
  ),
};

function setActive(
  verb: 'Deactivate' | 'Reactivate',
  active: boolean,
  date: string,
  id: string,
  state: string,
): Method {
  return method(
    z.object({
      applicationId: text(`${verb}ApplicationRequest.ApplicationId`),
      projectId: text(`${verb}ApplicationRequest.ProjectId`),
    }),
    (request, { instance, rights }) => {
      const application = writable(instance, rights, request);
      if (!application) throw noApplication('COMMAND-ov9d3');
      if (application.active === active)
        throw new ManagementError('failed_precondition', `Application is ${state}`, id);
      const before = applicationView(instance, application);
      application.active = active;
      instance.changes.changed(application, before);
      return { [date]: timestamp() };
    },
  );
}

/** The application of that id in that project, when the caller may change it. */
function writable(
  instance: Instance,
  rights: Caller['rights'],
  { applicationId, projectId }: { applicationId: string; projectId: string },
  permission: 'project.write' | 'project.app.delete' = 'project.write',
): Application | undefined {
  rights.require(permission, resourceOf(projectById(instance, projectId), projectId));
  return applicationIn(instance, projectId, applicationId);
}

export function applicationIn(
  { applications }: Instance,
  projectId: string,
  applicationId: string,
): Application | undefined {
  return applications.all.find(({ appId, project }) => appId === applicationId && project.id === projectId);
}

export function newSecret(): string {
  return randomBytes(48).toString('base64url');
}

function namesIn({ applications }: Instance, project: Project): string[] {
  return applications.all.filter((one) => one.project === project).map(({ name }) => name);
}

function rename(instance: Instance, application: Application, name: string): void {
  if (application.name === name) throw noChanges('COMMAND-2m8vx');
  if (namesIn(instance, application.project).includes(name)) throw exists('Application already exists');
  application.name = name;
}

function newApplication(
  instance: Instance,
  project: Project,
  name: string,
  kind: Application['kind'],
  settings: Partial<Application>,
): Application {
  const application: Application = {
    kind,
    name,
    project,
    clientId: newId(),
    appId: newId(),
    authMethod: 'basic',
    applicationType: 'web',
    grantTypes: [],
    responseTypes: [],
    redirectUris: [],
    postLogoutRedirectUris: [],
    devMode: false,
    accessTokenType: 'opaque',
    idTokenUserinfo: false,
    idTokenRoleAssertion: false,
    accessTokenRoleAssertion: false,
    clockSkewSeconds: 0,
    loginVersion: 2,
    active: true,
    ...withInstanceLogin(settings, instance),
  };
  const hasSecret = application.authMethod === 'basic' || application.authMethod === 'post';
  return hasSecret ? { ...application, clientSecret: newSecret() } : application;
}

/** An application without a login version takes that of the instance. */
function withInstanceLogin(settings: Partial<Application>, { features }: Instance): Partial<Application> {
  if (settings.loginVersionSetting || !('loginVersion' in settings)) return settings;
  return { ...settings, loginVersion: features.loginV2Required ? 2 : 1 };
}

/** @throws ManagementError where Zitadel refuses the settings */
function checkSettings(settings: Partial<Application>, { backChannel }: Instance): void {
  if (settings.grantTypes && !hasFirstGrant(settings.grantTypes))
    throw new ManagementError('invalid_argument', 'Application invalid', 'PROJECT-1n8df');
  const { backChannelLogoutUri = '' } = settings;
  if (!isBackChannelUriAllowed(backChannelLogoutUri, backChannel.isDenied)) {
    const sentence = 'Errors.Project.App.Blocked.BackchannelLogoutURL';
    throw new ManagementError('invalid_argument', sentence, 'PROJECT-msNebo');
  }
}

function noChanges(id: string): ManagementError {
  return new ManagementError('failed_precondition', 'No changes', id);
}

function noApplication(id: string): ManagementError {
  return new ManagementError('not_found', "Application doesn't exist", id);
}

function applicationView({ changes }: Instance, application: Application) {
  const { appId, name, active, kind, project } = application;
  return {
    applicationId: appId,
    ...changes.dates(application),
    state: active ? 'APPLICATION_STATE_ACTIVE' : 'APPLICATION_STATE_INACTIVE',
    name,
    ...(kind === 'oidc'
      ? { oidcConfiguration: oidcView(application) }
      : { apiConfiguration: apiView(application) }),
    projectId: project.id,
  };
}
