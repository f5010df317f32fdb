import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from './auth.decorators.js';
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
  private readonly requiredRoles: RouteMetadata<readonly string[]>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(ResolvedAuthOptions) private readonly options?: ResolvedAuthOptions,
  ) {
    this.requiredRoles = rolesMetadata(reflector);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const roles = this.requiredRoles.of(context);
    if (roles.length === 0) return true;
    const request = requestOf(context);
    const granted = request && grantedRoles(request, this.options?.property ?? 'user');
    if (granted && roles.some((role) => granted.includes(role))) return true;
    const refusal = granted
      ? new RolesRequired(roles)
      : new SessionRequired(request ? requestTarget(request) : '/');
    if (context.getType() === 'http') throw refusal;
    return refusalIn(context, refusal);
  }
}

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
