import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from './auth.decorators.js';
import { RolesRequired, SessionRequired } from './auth.errors.js';
import type { AuthenticatedRequest } from './auth.types.js';
import { requestTarget } from './http/request-facts.js';
import { RouteMetadata } from './http/route-metadata.js';

/** Refuses users who have none of the roles of `@RequireRoles()`. Runs after the guard that reads the session. */
@Injectable()
export class RolesGuard implements CanActivate {
  private readonly requiredRoles: RouteMetadata<readonly string[]>;

  constructor(@Inject(Reflector) reflector: Reflector) {
    this.requiredRoles = new RouteMetadata(
      (targets) => reflector.getAllAndOverride<string[] | undefined>(REQUIRED_ROLES_KEY, targets) ?? [],
    );
  }

  canActivate(context: ExecutionContext): boolean {
    const roles = this.requiredRoles.of(context);
    if (roles.length === 0 || context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!request.session) throw new SessionRequired(requestTarget(request));
    const granted = request.session.user.roles ?? [];
    if (roles.some((role) => granted.includes(role))) return true;
    throw new RolesRequired(roles);
  }
}
