import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY, ROLES_MEMBER_KEY } from './auth.decorators.js';
import { RolesRequired, SessionRequired } from './auth.errors.js';
import type { AuthenticatedRequest } from './auth.types.js';
import { refusalIn } from './http/refusal-in.js';
import { requestTarget } from './http/request-facts.js';
import { requestOf } from './http/request-of.js';
import { RouteMetadata } from './http/route-metadata.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/**
 * Refuses users who have none of the roles of `@RequireRoles()`. Runs after the guard that reads the session. The roles are those of the
 * user on the request, which another guard may have set, else those of the session.
 */
@Injectable()
export class RolesGuard implements CanActivate {
  private readonly requiredRoles: RouteMetadata<RequiredRoles>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(ResolvedAuthOptions) private readonly options?: ResolvedAuthOptions,
  ) {
    this.requiredRoles = rolesMetadata(reflector);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const required = this.requiredRoles.of(context);
    if (required.roles.length === 0) return true;
    const request = requestOf(context);
    const user = request && userOf(request, this.options?.property ?? 'user');
    if (user && hasOneOf(required, user)) return true;
    const refusal = user
      ? (this.options?.rolesRefusal?.(required.roles, user) ?? new RolesRequired(required.roles))
      : new SessionRequired(request ? requestTarget(request) : '/');
    if (context.getType() === 'http') throw refusal;
    return refusalIn(context, refusal);
  }
}

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
export function hasOneOf({ roles, member }: RequiredRoles, user: object): boolean {
  const members = user as Record<string, unknown>;
  const granted = members[member] ?? members['roles'];
  return Array.isArray(granted) && roles.some((role) => granted.includes(role));
}
