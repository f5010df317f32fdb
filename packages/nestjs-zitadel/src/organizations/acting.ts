import type { AuthUser, SessionToken } from '@mridang/nestjs-auth';
import type { CalledRequest } from '../bearer/caller.js';
import type { Organization, RoleGrant } from '../claims/claims.js';

/** Where roles count: in every organization that grants them, or in the active one. */
export type OrganizationsMode = 'any' | 'active';

/** The header of a request that names an organization by its id, in lower case. */
export const ORGANIZATION_HEADER = 'x-organization';

/** What a user may do where roles count in the active organization. */
export interface Acting {
  /** in which the user has roles; the name is known of the home organization alone */
  organizations: readonly Organization[];
  /** `undefined` while the user has to choose, and for users without roles */
  activeOrganization: Organization | undefined;
  /** in the active organization */
  roles: string[];
  /** in all organizations */
  allRoles: string[];
}

/**
 * Chooses the active organization: the one asked for; where none is asked for, the home organization, else the only one; each only if the
 * user has a role there.
 *
 * @param home organization of the user
 * @param asked id of an organization
 */
export function actingIn(
  roleGrants: readonly RoleGrant[],
  home: Organization | undefined,
  asked?: string,
): Acting {
  const organizations = organizationsOf(roleGrants, home);
  const withId = (id: string | undefined) => organizations.find((one) => one.id === id);
  const only = organizations.length === 1 ? organizations[0] : undefined;
  const activeOrganization = asked === undefined ? (withId(home?.id) ?? only) : withId(asked);
  return {
    organizations,
    activeOrganization,
    roles: rolesIn(roleGrants, activeOrganization?.id),
    allRoles: roleGrants.map(({ role }) => role),
  };
}

/** Returns the roles that an organization grants. */
export const rolesIn = (roleGrants: readonly RoleGrant[], id: string | undefined): string[] =>
  roleGrants
    .filter(({ organizations }) => organizations.some((one) => one.id === id))
    .map(({ role }) => role);

/** Returns the user of a session, with the roles of the active organization. */
export const actingUser = (user: AuthUser, organizationId: string | undefined): AuthUser => ({
  ...user,
  ...actingIn(user.roleGrants, user.organization, organizationId),
});

/**
 * Returns a user with the roles in the organization that the header `X-Organization` names. Without `organizations: 'active'` the header does
 * not count.
 */
export function inOrganizationAsked<
  T extends Partial<Pick<Acting, 'organizations'>> & { roleGrants?: readonly RoleGrant[] },
>(user: T, request: CalledRequest): T {
  const asked = request.headers[ORGANIZATION_HEADER];
  const { organizations, roleGrants } = user;
  if (asked === undefined || !organizations || !roleGrants) return user;
  request.organizationAsked = asked;
  const activeOrganization = organizations.find(({ id }) => id === asked);
  const roles = Object.freeze(rolesIn(roleGrants, activeOrganization?.id));
  return Object.freeze({ ...user, activeOrganization, roles });
}

/** Returns the session with another active organization; unchanged when the user has no role there. */
export function switched(token: SessionToken, data: unknown): SessionToken {
  const { organization } = (data ?? {}) as { organization?: unknown };
  const { roleGrants = [] } = token.user ?? {};
  const found = organizationsOf(roleGrants, undefined).find(({ id }) => id === organization);
  return found ? { ...token, organizationId: found.id } : token;
}

/**
 * Stores the active organization in a session, so that it stays the same when the user gets roles elsewhere. One without roles stays, too:
 * then none is active until the user chooses, and no other takes its place unnoticed.
 */
export function withActiveOrganization(token: SessionToken, mode: OrganizationsMode): SessionToken {
  if (mode === 'any' || !token.user) return token;
  const { roleGrants, organization } = token.user;
  const { activeOrganization } = actingIn(roleGrants, organization, token.organizationId);
  return { ...token, organizationId: token.organizationId ?? activeOrganization?.id };
}

function organizationsOf(roleGrants: readonly RoleGrant[], home: Organization | undefined): Organization[] {
  const granting = roleGrants.flatMap(({ organizations }) => organizations);
  const byId = new Map(granting.map((one) => [one.id, one.id === home?.id ? { ...one, ...home } : one]));
  return [...byId.values()];
}
