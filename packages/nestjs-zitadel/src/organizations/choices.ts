import type { AuthUser } from '@mridang/nestjs-auth';
import type { Organization } from '../claims/claims.js';
import { rolesIn } from './acting.js';

/** An organization that a user can make the active one, for a form. */
export interface OrganizationChoice {
  id: string;
  /** its name, else its domain */
  label: string;
  isActive: boolean;
}

export const labelOf = ({ name, domain, id }: Organization): string => name ?? domain ?? id;

export const choicesOf = (
  organizations: readonly Organization[],
  active?: Organization,
): OrganizationChoice[] =>
  organizations.map((one) => ({ id: one.id, label: labelOf(one), isActive: one.id === active?.id }));

/** Returns the organizations that grant the user one of these roles; none without a user, and without `organizations: 'active'`. */
export const choicesWith = (
  { organizations = [], roleGrants = [] }: Partial<AuthUser> = {},
  roles: readonly string[],
): OrganizationChoice[] =>
  choicesOf(organizations.filter(({ id }) => rolesIn(roleGrants, id).some((role) => roles.includes(role))));
