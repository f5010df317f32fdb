import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RolesRequired, SessionRequired, type SessionEnded } from './auth.errors.js';
import { SessionGuard } from './auth.guard.js';
import { refusalIn } from './http/refusal-in.js';
import { requestTarget } from './http/request-facts.js';
import { requestOf } from './http/request-of.js';
import { grantedRoles, rolesMetadata } from './http/required-roles.js';
import type { RouteMetadata } from './http/route-metadata.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';

/**
 * Refuses users who have none of the roles of `@RequireRoles()`. Where no guard has read the session, it does. The roles are those of the
 * user on the request, which another guard may have set, else those of the session.
 */
@Injectable()
export class RolesGuard implements CanActivate {
  private readonly requiredRoles: RouteMetadata<readonly string[]>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(ResolvedAuthOptions) private readonly options?: ResolvedAuthOptions,
    @Optional() @Inject(SessionGuard) private readonly sessions?: SessionGuard,
  ) {
    this.requiredRoles = rolesMetadata(reflector);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const roles = this.requiredRoles.of(context);
    if (roles.length === 0 || this.hasOneOf(roles, context)) return true;
    return this.sessions && requestOf(context)?.session === undefined
      ? this.sessions.attach(context).then((found) => this.decide(roles, context, found?.ended))
      : this.decide(roles, context);
  }

  private hasOneOf(roles: readonly string[], context: ExecutionContext): boolean {
    const granted = this.grantedIn(context);
    return granted !== undefined && roles.some((role) => granted.includes(role));
  }

  private grantedIn(context: ExecutionContext): readonly unknown[] | undefined {
    const request = requestOf(context);
    return request && grantedRoles(request, this.options?.property ?? 'user');
  }

  /** @param ended why the session ended whose cookie the request carries */
  private decide(
    roles: readonly string[],
    context: ExecutionContext,
    ended?: SessionEnded,
  ): boolean | Promise<boolean> {
    if (this.hasOneOf(roles, context)) return true;
    const request = requestOf(context);
    const refusal = this.grantedIn(context)
      ? new RolesRequired(roles)
      : new SessionRequired(request ? requestTarget(request) : '/', ended?.reason, { cause: ended });
    if (context.getType() === 'http') throw refusal;
    return refusalIn(context, refusal);
  }
}
