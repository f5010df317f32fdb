import { z } from 'zod';
import type { Application } from '../directory/applications.js';
import { timestamp } from '../directory/changes.js';
import type { Instance } from '../instance/instance.js';
import { newKey, type AddedKey, type ApplicationKeyFile } from '../keys/key-file.js';
import { applicationIn } from './applications.js';
import { ManagementError } from './management.error.js';
import { listField, method, pageOf, pagination, text, type Method } from './method.js';
import { projectById, resourceOf } from './projects.js';

export const applicationKeyMethods: Record<string, Method> = {
  CreateApplicationKey: method(
    z.object({
      applicationId: text('CreateApplicationKeyRequest.ApplicationId'),
      projectId: text('CreateApplicationKeyRequest.ProjectId'),
      expirationDate: z.string().optional(),
    }),
    async ({ applicationId, projectId, expirationDate }, { instance, rights }) => {
      rights.require('project.write', resourceOf(projectById(instance, projectId), projectId));
      const application = applicationIn(instance, projectId, applicationId);
      if (!application) throw refused('Application not found', 'COMMAND-sak25');
      const expires = futureDate(expirationDate);
      if (application.authMethod !== 'private_key_jwt')
        throw refused('Chosen Auth Method does not require a key', 'COMMAND-Dff54');
      const { appId, clientId } = application;
      const file: ApplicationKeyFile = { type: 'application', ...(await newKey()), appId, clientId };
      const added = { file, expirationDate: expires };
      application.addedKeys = [...(application.addedKeys ?? []), added];
      instance.changes.created(added);
      const keyDetails = Buffer.from(JSON.stringify(file)).toString('base64');
      return { keyId: file.keyId, creationDate: instance.changes.dates(added).creationDate, keyDetails };
    },
  ),

  ListApplicationKeys: method(
    z.object({
      pagination,
      filters: z
        .array(
          z.object({
            applicationIdFilter: z.object({ applicationId: z.string() }).optional(),
            projectIdFilter: z.object({ projectId: z.string() }).optional(),
          }),
        )
        .default([]),
    }),
    ({ pagination: wanted, filters }, { instance, rights }) => {
      const found = instance.applications.all
        .filter(({ appId, project }) =>
          filters.every(
            ({ applicationIdFilter, projectIdFilter }) =>
              appId === (applicationIdFilter?.applicationId ?? appId) &&
              project.id === (projectIdFilter?.projectId ?? project.id),
          ),
        )
        .flatMap((application) =>
          (application.addedKeys ?? []).flatMap(
            (key) => instance.changes.seen(key, () => keyView(instance, application, key)) ?? [],
          ),
        );
      const { pagination: applied, page } = pageOf(found, wanted, (view) => rights.may('project.read', view));
      return { ...listField('keys', page), pagination: applied };
    },
  ),

  DeleteApplicationKey: method(
    z.object({
      keyId: text('DeleteApplicationKeyRequest.KeyId'),
      applicationId: text('DeleteApplicationKeyRequest.ApplicationId'),
      projectId: text('DeleteApplicationKeyRequest.ProjectId'),
    }),
    ({ keyId, applicationId, projectId }, { instance, rights }) => {
      rights.require('project.write', resourceOf(projectById(instance, projectId), projectId));
      const application = applicationIn(instance, projectId, applicationId);
      const kept = application?.addedKeys?.filter(({ file }) => file.keyId !== keyId) ?? [];
      if (!application || kept.length === (application.addedKeys?.length ?? 0))
        throw new ManagementError('not_found', 'Application key not found', 'COMMAND-4m77G');
      application.addedKeys = kept;
      return { deletionDate: timestamp() };
    },
  ),
};

/** @throws ManagementError for a date that is missing or past */
export function futureDate(date: string | undefined): Date {
  const expires = new Date(date ?? 0);
  if (expires.getTime() > Date.now()) return expires;
  throw new ManagementError('invalid_argument', 'Errors.AuthNKey.ExpireBeforeNow', 'DOMAIN-dv3t5');
}

function refused(sentence: string, id: string): ManagementError {
  return new ManagementError('failed_precondition', sentence, id);
}

function keyView({ changes }: Instance, { appId, project }: Application, key: AddedKey<ApplicationKeyFile>) {
  const { file, expirationDate } = key;
  return {
    keyId: file.keyId,
    applicationId: appId,
    projectId: project.id,
    creationDate: changes.dates(key).creationDate,
    organizationId: project.organizationId,
    expirationDate: expirationDate.toISOString().replace('.000Z', 'Z'),
  };
}
