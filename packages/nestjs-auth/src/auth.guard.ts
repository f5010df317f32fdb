import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IS_PUBLIC_KEY } from './auth.decorators.js';
import { isSessionEnded, SessionRequired } from './auth.errors.js';
import type { AuthenticatedRequest, AuthUser, HttpResponse } from './auth.types.js';
import { requestTarget } from './http/request-facts.js';
import { RouteMetadata } from './http/route-metadata.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { SessionService } from './session/session.service.js';

/** The methods of a guard made by `AuthGuard()` that a subclass may override. */
export interface IAuthGuard extends CanActivate {
  /**
   * Decides about a request for a route that is not public.
   *
   * @param info the session, or `SessionEnded` when the provider has ended it
   * @param status HTTP status of a refusal
   * @returns the user
   * @throws the refusal, by default `SessionRequired`
   */
  handleRequest(
    error: unknown,
    user: AuthUser | null,
    info: unknown,
    context: ExecutionContext,
    status?: unknown,
  ): AuthUser | null;
  getRequest(context: ExecutionContext): AuthenticatedRequest;
  /** Returns the property of the request that receives the user, for this guard only. */
  getAuthenticateOptions(
    context: ExecutionContext,
  ): { property?: string } | undefined | Promise<{ property?: string } | undefined>;
}

/**
 * Makes the guard that reads the session and refuses requests without one, unless the route is `@Public()`.
 * Contexts other than HTTP pass: they carry no cookie.
 *
 * @param _type ignored: accepted from programs that name a Passport strategy
 */
export function AuthGuard(_type?: string | readonly string[]): Type<IAuthGuard> {
  return SessionGuard;
}

@Injectable()
class SessionGuard implements IAuthGuard {
  private readonly publicRoutes: RouteMetadata<boolean>;

  constructor(
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(Reflector) reflector: Reflector,
  ) {
    this.publicRoutes = new RouteMetadata(
      (targets) => reflector.getAllAndOverride(IS_PUBLIC_KEY, targets) === true,
    );
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = this.getRequest(context);
    const isPublic = this.publicRoutes.of(context);
    const { session, ended } = await this.loadSession(request, context, isPublic);
    const found = session?.user ?? null;
    const user = isPublic
      ? found
      : this.handleRequest(null, found, ended ?? session, context, found ? undefined : 401);
    const options = await this.getAuthenticateOptions(context);
    request.session = session;
    const property = options?.property ?? this.options.property;
    (request as unknown as Record<string, unknown>)[property] = user ?? undefined;
    return true;
  }

  handleRequest(
    error: unknown,
    user: AuthUser | null,
    info: unknown,
    context: ExecutionContext,
    _status?: unknown,
  ): AuthUser | null {
    if (error)
      throw error instanceof Error ? error : new Error('The session could not be read', { cause: error });
    if (user) return user;
    const ended = isSessionEnded(info) ? info : undefined;
    throw new SessionRequired(requestTarget(this.getRequest(context)), ended?.reason, { cause: ended });
  }

  getRequest(context: ExecutionContext): AuthenticatedRequest {
    return context.switchToHttp().getRequest<AuthenticatedRequest>();
  }

  getAuthenticateOptions(
    _context: ExecutionContext,
  ): { property?: string } | undefined | Promise<{ property?: string } | undefined> {
    return undefined;
  }

  private async loadSession(request: AuthenticatedRequest, context: ExecutionContext, isPublic: boolean) {
    const response = context.switchToHttp().getResponse<HttpResponse>();
    try {
      // Public routes never wait for the provider.
      const session = isPublic
        ? await this.sessions.load(request, response)
        : await this.sessions.loadFresh(request, response);
      return { session, ended: undefined };
    } catch (error) {
      if (isSessionEnded(error)) return { session: null, ended: error };
      throw error;
    }
  }
}
