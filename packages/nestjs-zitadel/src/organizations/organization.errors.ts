import { ForbiddenException } from '@nestjs/common';
import type { RefusalFacts, RefusalReason } from '@mridang/nestjs-auth';
import type { Organization, RoleGrant } from '../claims/claims.js';
import type { Acting } from './acting.js';
import { labelOf } from './choices.js';

const bodyOf = (code: string, message: string) => ({ statusCode: 403, code, message });

/** 403: no organization is active, and the roles of the user do not say which one it should be. */
export class OrganizationRequired extends ForbiddenException implements RefusalReason {
  readonly code = 'ORGANIZATION_REQUIRED';
  readonly needed = { organization: true };

  /** @param organizations those to choose from */
  constructor(
    readonly organizations: readonly Organization[],
    readonly held: RefusalFacts = { organizations: organizations.map(labelOf) },
  ) {
    super(bodyOf('ORGANIZATION_REQUIRED', 'This needs an organization. Choose one in which you have a role'));
  }
}

/** 403: the user has no role in the organization asked for. */
export class OrganizationWithoutRoles extends ForbiddenException implements RefusalReason {
  readonly code = 'ORGANIZATION_WITHOUT_ROLES';
  readonly needed = { organization: true };

  constructor(readonly held: RefusalFacts = {}) {
    super(bodyOf('ORGANIZATION_WITHOUT_ROLES', 'You have no role in this organization'));
  }
}

/** The roles of a user, and what they depend on, for the explanation of a refusal. */
export const roleFacts = ({
  roles = [],
  roleGrants,
  organizations,
  activeOrganization,
}: Holder): RefusalFacts => ({
  roles,
  grants: roleGrants?.flatMap(({ role, organizations: all }) =>
    all.map((one) => `${role} in ${labelOf(organizations?.find(({ id }) => id === one.id) ?? one)}`),
  ),
  // Without `organizations: 'active'` there is none.
  organization: organizations && (activeOrganization ? labelOf(activeOrganization) : 'none'),
});

/** A user of a session, or a caller. */
interface Holder extends Partial<Pick<Acting, 'organizations' | 'activeOrganization'>> {
  roles?: readonly string[];
  roleGrants?: readonly RoleGrant[];
}

/**
 * Returns why no organization is active; `undefined` where one is, for users without any role, and without `organizations: 'active'`.
 *
 * @param asked id of the organization asked for
 */
export function organizationRefusal(
  user: Holder,
  asked?: unknown,
  held = roleFacts(user),
): OrganizationRequired | OrganizationWithoutRoles | undefined {
  const { organizations, activeOrganization } = user;
  if (!organizations || activeOrganization) return undefined;
  if (asked !== undefined)
    return new OrganizationWithoutRoles({ ...held, organization: 'the one asked for, without roles' });
  return organizations.length > 0 ? new OrganizationRequired(organizations, held) : undefined;
}
