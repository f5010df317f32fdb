import type { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY, ROLES_MEMBER_KEY } from '../auth.decorators.js';
import type { AuthenticatedRequest } from '../auth.types.js';
import { RouteMetadata } from './route-metadata.js';

/** What `@RequireRoles()` requires: one of the roles. `member` of the user has those that it has. */
export interface RequiredRoles {
  roles: readonly string[];
  member: string;
}

/** Returns what the decorator of a handler requires, or of its class; without one, no roles. */
export function requiredRoles(
  reflector: Reflector,
  targets: Parameters<Reflector['getAllAndOverride']>[1],
): RequiredRoles {
  for (const target of targets) {
    const roles = reflector.get<readonly string[] | undefined>(REQUIRED_ROLES_KEY, target);
    if (roles)
      return { roles, member: reflector.get<string | undefined>(ROLES_MEMBER_KEY, target) ?? 'roles' };
  }
  return { roles: [], member: 'roles' };
}

export const rolesMetadata = (reflector: Reflector) =>
  new RouteMetadata<RequiredRoles>((targets) => requiredRoles(reflector, targets));

/** Returns the user of a request; `undefined` where nobody is signed in. */
export function userOf(request: AuthenticatedRequest, property: string): object | undefined {
  const user = (request as unknown as Record<string, unknown>)[property] ?? request.session?.user;
  return typeof user === 'object' && user !== null ? user : undefined;
}

/** Whether the user has one of the required roles. */
export const hasOneOf = (required: RequiredRoles, user: object): boolean => {
  const granted = grantedRoles(required, user);
  return required.roles.some((role) => granted.includes(role));
};

/** Returns the roles of the user that count. */
export function grantedRoles({ member }: RequiredRoles, user: object): readonly string[] {
  const members = user as Record<string, unknown>;
  const granted = members[member] ?? members['roles'];
  return Array.isArray(granted) ? (granted as string[]) : [];
}
