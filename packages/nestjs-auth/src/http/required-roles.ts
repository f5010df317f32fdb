import type { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from '../auth.decorators.js';
import type { AuthenticatedRequest } from '../auth.types.js';
import { RouteMetadata } from './route-metadata.js';

/** The roles of `@RequireRoles()`. */
export const rolesMetadata = (reflector: Reflector) =>
  new RouteMetadata<readonly string[]>(
    (targets) => reflector.getAllAndOverride<string[] | undefined>(REQUIRED_ROLES_KEY, targets) ?? [],
  );

/** Returns the roles of the user of a request; `undefined` where nobody is signed in. */
export function grantedRoles(
  request: AuthenticatedRequest,
  property: string,
): readonly unknown[] | undefined {
  const user = (request as unknown as Record<string, unknown>)[property] ?? request.session?.user;
  if (typeof user !== 'object' || user === null) return undefined;
  const { roles } = user as { roles?: unknown };
  return Array.isArray(roles) ? (roles as unknown[]) : [];
}
