import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from './auth.decorators.js';
import { RolesRequired, SessionRequired } from './auth.errors.js';
import type { AuthenticatedRequest } from './auth.types.js';
import { requestTarget } from './http/request-target.js';

/** Refuses users who have none of the roles `@RequireRoles()` names. Runs after the guard that reads the session. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const roles = this.reflector.getAllAndOverride<string[] | undefined>(REQUIRED_ROLES_KEY, targets) ?? [];
    if (roles.length === 0 || context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!request.session) throw new SessionRequired(requestTarget(request));
    const owned = request.session.user.roles ?? [];
    if (roles.some((role) => owned.includes(role))) return true;
    throw new RolesRequired(roles);
  }
}
