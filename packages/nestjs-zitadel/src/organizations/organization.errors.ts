import { ForbiddenException } from '@nestjs/common';
import type { Organization } from '../claims/claims.js';
import type { Acting } from './acting.js';

const bodyOf = (code: string, message: string) => ({ statusCode: 403, code, message });

/** 403: no organization is active, and the roles of the user do not say which one it should be. */
export class OrganizationRequired extends ForbiddenException {
  readonly code = 'ORGANIZATION_REQUIRED';

  /** @param organizations those to choose from */
  constructor(readonly organizations: readonly Organization[]) {
    super(bodyOf('ORGANIZATION_REQUIRED', 'This needs an organization. Choose one in which you have a role'));
  }
}

/** 403: the user has no role in the organization asked for. */
export class OrganizationWithoutRoles extends ForbiddenException {
  readonly code = 'ORGANIZATION_WITHOUT_ROLES';

  constructor() {
    super(bodyOf('ORGANIZATION_WITHOUT_ROLES', 'You have no role in this organization'));
  }
}

/**
 * Returns why no organization is active; `undefined` where one is, for users without any role, and without `organizations: 'active'`.
 *
 * @param asked id of the organization asked for
 */
export function organizationRefusal(
  { organizations, activeOrganization }: Partial<Pick<Acting, 'organizations' | 'activeOrganization'>>,
  asked?: unknown,
): OrganizationRequired | OrganizationWithoutRoles | undefined {
  if (!organizations || activeOrganization) return undefined;
  if (asked !== undefined) return new OrganizationWithoutRoles();
  return organizations.length > 0 ? new OrganizationRequired(organizations) : undefined;
}
