import {
  requestOf,
  RequireRoles as RequireRolesOfUser,
  RolesRequired,
  ROLES_MEMBER_KEY,
} from '@mridang/nestjs-auth';
import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { CalledRequest } from '../bearer/caller.js';
import type { Organization } from '../claims/claims.js';
import type { Acting } from './acting.js';
import { organizationRefusal, roleFacts } from './organization.errors.js';

/** Where a role has to be granted: by the active organization, or by any. */
interface RolesOptions {
  organization: 'active' | 'any';
}

/**
 * Allows only users with at least one of these roles in the active organization; others get 403. `{ organization: 'any' }` as the last
 * argument: in any organization, which is what both mean without `organizations: 'active'`.
 */
export function RequireRoles(...args: [...roles: string[], options: RolesOptions] | string[]) {
  const given: (string | RolesOptions)[] = args;
  const last = given.at(-1);
  const isAny = typeof last === 'object' && last.organization === 'any';
  const roles = given.filter((one) => typeof one === 'string');
  return applyDecorators(
    RequireRolesOfUser(...roles),
    SetMetadata(ROLES_MEMBER_KEY, (isAny ? 'allRoles' : 'roles') satisfies keyof Acting),
  );
}

/**
 * Injects the active organization (`Organization`).
 *
 * @throws `OrganizationRequired` where there is none, `OrganizationWithoutRoles` where the header `X-Organization` names another,
 *   `RolesRequired` for a user without roles; `TypeError` without the option `organizations: 'active'`
 */
export const CurrentOrganization = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Organization => {
    const request = requestOf(context);
    const { caller, organizationAsked } = (request ?? {}) as Partial<CalledRequest>;
    const user = caller ?? request?.session?.user;
    if (!user?.organizations)
      throw new TypeError(
        '@CurrentOrganization() needs a signed-in user, and the option organizations: active',
      );
    if (user.activeOrganization) return user.activeOrganization;
    throw organizationRefusal(user, { asked: organizationAsked }) ?? new RolesRequired([], roleFacts(user));
  },
);
