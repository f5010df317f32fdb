import { SetupError } from '../setup.error.js';
import { ManagementRefused } from './management-client.js';
import type { AdministratorMessage } from './messages.js';

/** Roles of Zitadel's administration that do not suffice to make a project and to work in it. */
const WEAK_ROLES = [
  ...['PROJECT_OWNER', 'PROJECT_OWNER_GLOBAL', 'PROJECT_OWNER_VIEWER', 'PROJECT_OWNER_VIEWER_GLOBAL'],
  ...['ORG_USER_MANAGER', 'ORG_OWNER_VIEWER', 'ORG_USER_PERMISSION_EDITOR', 'ORG_PROJECT_PERMISSION_EDITOR'],
  ...['ORG_PROJECT_CREATOR', 'ORG_USER_SELF_MANAGER', 'ORG_SETTINGS_MANAGER', 'IAM_USER_MANAGER'],
  ...['IAM_OWNER_VIEWER', 'IAM_ADMIN_IMPERSONATOR', 'IAM_END_USER_IMPERSONATOR', 'IAM_LOGIN_CLIENT'],
];

const cures = {
  'create projects':
    'give the service user ORG_OWNER, or PROJECT_OWNER of an existing project with --project',
  'change this project': 'give the service user PROJECT_OWNER of the project, or ORG_OWNER',
  'see people': 'give the service user ORG_USER_MANAGER or ORG_OWNER',
  'give roles to people': 'give the service user PROJECT_OWNER of the project, or ORG_OWNER',
  'send events of Zitadel to a webhook':
    'give the service user IAM_OWNER of the instance, or leave out --events',
} as const;

/** What a token is needed for, in words. */
export type Right = keyof typeof cures;

export function missingRight(right: Right): SetupError {
  return new SetupError(`this token may not ${right}: ${cures[right]}`);
}

/** Whether these roles can neither make a project nor work in one that they made. Roles of one's own count as good. */
export function isTooWeakForProjects(administrators: readonly AdministratorMessage[]): boolean {
  return administrators.every(({ roles }) => roles.every((role) => WEAK_ROLES.includes(role)));
}

/**
 * Says a refusal for want of rights in words: Zitadel answers 403, or 404 where the token has no role around the resource.
 *
 * @throws `SetupError`, or the error itself
 */
export function explainRefusal(error: unknown, right: Right): never {
  if (!(error instanceof ManagementRefused)) throw error;
  const isMissing = error.status === 403 || error.text.includes('AUTHZ-cdgFk');
  throw isMissing ? missingRight(right) : error;
}

export function hasCode(error: unknown, code: string): error is ManagementRefused {
  return error instanceof ManagementRefused && error.code === code;
}
