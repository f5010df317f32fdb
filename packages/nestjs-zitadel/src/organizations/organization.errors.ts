import { ForbiddenException } from '@nestjs/common';
import type { RefusalFacts, RefusalReason } from '@mridang/nestjs-auth';
import type { Organization, RoleGrant } from '../claims/claims.js';
import type { Acting } from './acting.js';
import { labelOf } from './choices.js';

const bodyOf = (code: string, message: string) => ({ statusCode: 403, code, message });

/** 403: no organization is active, and the roles of the user do not say which one it should be. */
export class OrganizationRequired extends ForbiddenException implements RefusalReason {
  readonly code = 'ORGANIZATION_REQUIRED';
  readonly needed: RefusalFacts;

  /**
   * @param organizations those to choose from
   * @param roles one of which the route requires
   */
  constructor(
    readonly organizations: readonly Organization[],
    readonly held: RefusalFacts = { organizations: organizations.map(labelOf) },
    readonly roles: readonly string[] = [],
  ) {
    super(bodyOf('ORGANIZATION_REQUIRED', 'This needs an organization. Choose one in which you have a role'));
    this.needed = neededFor(roles);
  }
}

/** 403: the user has no role in the organization asked for. */
export class OrganizationWithoutRoles extends ForbiddenException implements RefusalReason {
  readonly code = 'ORGANIZATION_WITHOUT_ROLES';
  readonly needed: RefusalFacts;
  readonly held: RefusalFacts;

  /**
   * @param asked id of the organization asked for, as the request has it
   * @param roles one of which the route requires
   */
  constructor(held: RefusalFacts = {}, asked?: unknown, roles: readonly string[] = []) {
    super(bodyOf('ORGANIZATION_WITHOUT_ROLES', 'You have no role in this organization'));
    this.needed = neededFor(roles);
    this.held = { ...held, organizationAsked: typeof asked === 'string' ? asked : undefined };
  }
}

const neededFor = (roles: readonly string[]): RefusalFacts => ({
  organization: true,
  ...(roles.length > 0 ? { roles } : {}),
});

/** The roles of a user, and what they depend on, for the explanation of a refusal. */
export const roleFacts = ({
  roles = [],
  roleGrants,
  organizations,
  activeOrganization,
}: Holder): RefusalFacts => ({
  roles,
  grants: roleGrants?.flatMap(({ role, organizations: all }) =>
    all.map((one) => `${role} (${labelOf(organizations?.find(({ id }) => id === one.id) ?? one)})`),
  ),
  // Without `organizations: 'active'` there is none.
  organization: organizations && (activeOrganization ? labelOf(activeOrganization) : 'none'),
});

/** A user of a session, or a caller. */
interface Holder extends Partial<Pick<Acting, 'organizations' | 'activeOrganization'>> {
  roles?: readonly string[];
  roleGrants?: readonly RoleGrant[] | undefined;
}

/**
 * Returns why no organization is active; `undefined` where one is, for users without any role, and without `organizations: 'active'`.
 *
 * @param options.asked id of the organization asked for
 * @param options.roles one of which the route requires
 */
export function organizationRefusal(
  user: Holder,
  {
    asked,
    roles,
    held = roleFacts(user),
  }: { asked?: unknown; roles?: readonly string[]; held?: RefusalFacts } = {},
): OrganizationRequired | OrganizationWithoutRoles | undefined {
  const { organizations, activeOrganization } = user;
  if (!organizations || activeOrganization) return undefined;
  if (asked !== undefined) return new OrganizationWithoutRoles(held, asked, roles);
  return organizations.length > 0 ? new OrganizationRequired(organizations, held, roles) : undefined;
}
