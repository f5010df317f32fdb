import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IS_PUBLIC_KEY } from './auth.decorators.js';
import { SessionEnded, SessionRequired } from './auth.errors.js';
import type { AuthenticatedRequest, AuthUser, HttpResponse, Session } from './auth.types.js';
import { mapped, type Eventual } from './mapped.js';
import { requestTarget } from './http/request-target.js';
import { RouteMetadata } from './http/route-metadata.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { SessionService } from './session/session.service.js';

/** What a guard made by `AuthGuard()` offers to classes that extend it. */
export interface IAuthGuard extends CanActivate {
  /**
   * Decides about a request for a route that is not public: returns the user, or throws the refusal.
   *
   * @param info the session, or `SessionEnded` when there was one that the provider has put an end to
   * @param status what a refusal answers
   */
  handleRequest(
    error: unknown,
    user: AuthUser | null,
    info: unknown,
    context: ExecutionContext,
    status?: unknown,
  ): AuthUser | null;
  getRequest(context: ExecutionContext): AuthenticatedRequest;
  /** Name under which the user is put on the request, for this guard only. */
  getAuthenticateOptions(context: ExecutionContext): Eventual<{ property?: string } | undefined>;
}

/**
 * Makes the guard that reads the session and refuses requests without one, unless the route is `@Public()`.
 * Contexts other than HTTP pass: they carry no cookie.
 *
 * @param _type accepted for programs that name a strategy; Auth.js has one
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

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = this.getRequest(context);
    const response = context.switchToHttp().getResponse<HttpResponse>();
    // Public routes never wait for the provider.
    const ended = (error: unknown) => {
      if (error instanceof SessionEnded) return this.admit(request, null, error, context);
      throw error;
    };
    let loaded: Eventual<Session | null>;
    try {
      loaded = this.isPublic(context)
        ? this.sessions.load(request, response)
        : this.sessions.loadFresh(request, response);
    } catch (error) {
      return ended(error);
    }
    return loaded instanceof Promise
      ? loaded.then((session) => this.admit(request, session, undefined, context), ended)
      : this.admit(request, loaded, undefined, context);
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
    const ended = info instanceof SessionEnded ? info : undefined;
    throw new SessionRequired(requestTarget(this.getRequest(context)), ended?.reason, { cause: ended });
  }

  getRequest(context: ExecutionContext): AuthenticatedRequest {
    return context.switchToHttp().getRequest<AuthenticatedRequest>();
  }

  getAuthenticateOptions(_context: ExecutionContext): Eventual<{ property?: string } | undefined> {
    return undefined;
  }

  private admit(
    request: AuthenticatedRequest,
    session: Session | null,
    ended: SessionEnded | undefined,
    context: ExecutionContext,
  ): Eventual<boolean> {
    const found = session?.user ?? null;
    const user = this.isPublic(context)
      ? found
      : this.handleRequest(null, found, ended ?? session, context, found ? undefined : 401);
    return mapped(this.getAuthenticateOptions(context), (options) => {
      const property = options?.property ?? this.options.property;
      request.session = session;
      (request as unknown as Record<string, unknown>)[property] = user ?? undefined;
      return true;
    });
  }

  private isPublic(context: ExecutionContext): boolean {
    return this.publicRoutes.of(context);
  }
}
