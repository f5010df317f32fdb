import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RolesRequired, SessionRequired, type SessionEnded } from '../auth.errors.js';
import { SessionGuard } from './auth.guard.js';
import { refusalIn } from '../http/refusal-in.js';
import { requestOf } from '../http/request-of.js';
import { grantedRoles, hasOneOf, rolesMetadata, userOf, type RequiredRoles } from '../http/required-roles.js';
import type { RouteMetadata } from '../http/route-metadata.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';

/**
 * Refuses users who have none of the roles of `@RequireRoles()`. Where no guard has read the session, it does. The roles are those of the
 * user on the request, which another guard may have set, else those of the session.
 */
@Injectable()
export class RolesGuard implements CanActivate {
  private readonly requiredRoles: RouteMetadata<RequiredRoles>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(ResolvedAuthOptions) private readonly options?: ResolvedAuthOptions,
    @Optional() @Inject(SessionGuard) private readonly sessions?: SessionGuard,
  ) {
    this.requiredRoles = rolesMetadata(reflector);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const required = this.requiredRoles.of(context);
    if (required.roles.length === 0 || this.isAllowed(required, context)) return true;
    return this.sessions && requestOf(context)?.session === undefined
      ? this.sessions.attachUser(context).then((found) => this.decide(required, context, found?.ended))
      : this.decide(required, context);
  }

  private isAllowed(required: RequiredRoles, context: ExecutionContext): boolean {
    const user = this.userIn(context);
    return user !== undefined && hasOneOf(required, user);
  }

  private userIn(context: ExecutionContext): object | undefined {
    const request = requestOf(context);
    return request && userOf(request, this.options?.property ?? 'user');
  }

  /** @param ended why the session ended whose cookie the request carries */
  private decide(
    required: RequiredRoles,
    context: ExecutionContext,
    ended?: SessionEnded,
  ): boolean | Promise<boolean> {
    if (this.isAllowed(required, context)) return true;
    const { roles } = required;
    const [request, user] = [requestOf(context), this.userIn(context)];
    const refusal = user
      ? (this.options?.rolesRefusal?.(roles, user, request) ??
        new RolesRequired(roles, { roles: grantedRoles(required, user) }))
      : request && this.sessions
        ? this.sessions.refusalOf(context, ended)
        : new SessionRequired('/');
    if (context.getType() === 'http') throw refusal;
    return refusalIn(context, refusal);
  }
}
