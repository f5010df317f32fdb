import {
  HttpException,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { User } from '@auth/core/types';
import { IS_PUBLIC_KEY } from './auth.decorators.js';
import { isSessionEnded, SessionRequired, type SessionEnded } from './auth.errors.js';
import type { AuthenticatedRequest, AuthUser, HttpResponse, Session } from './auth.types.js';
import { refusalIn } from './http/refusal-in.js';
import { requestTarget } from './http/request-facts.js';
import { exchangeOf, keepRequest, withoutResponse, type Exchange } from './http/request-of.js';
import { hasOneOf, rolesMetadata, userOf } from './http/required-roles.js';
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
  ): AuthUser | User | null;
  getRequest(context: ExecutionContext): AuthenticatedRequest;
  /** Returns the property of the request that receives the user, for this guard only. */
  getAuthenticateOptions(
    context: ExecutionContext,
  ): { property?: string } | undefined | Promise<{ property?: string } | undefined>;
}

/**
 * Makes the guard that reads the session and refuses requests without one, unless the route is `@Public()`. GraphQL and WebSocket
 * handlers are guarded by the session of their HTTP request. A context without such a request, as that of a microservice, passes: roles
 * are refused there by `RolesGuard`.
 *
 * @param _type ignored: accepted from programs that name a Passport strategy
 */
export function AuthGuard(_type?: string | readonly string[]): Type<IAuthGuard> {
  return SessionGuard;
}

/** What a guard has found on a request. */
interface FoundSession {
  request: AuthenticatedRequest;
  session: Session | null;
  /** why the session ended whose cookie the request carries */
  ended: SessionEnded | undefined;
}

const reflector = new Reflector();

@Injectable()
export class SessionGuard implements IAuthGuard {
  private readonly publicRoutes = new RouteMetadata(
    (targets) => reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC_KEY, targets) === true,
  );
  private readonly requiredRoles = rolesMetadata(reflector);

  // Properties: the constructor of a subclass does not have to know them.
  @Inject(SessionService) private readonly sessions!: SessionService;
  @Inject(ResolvedAuthOptions) private readonly options!: ResolvedAuthOptions;

  canActivate(context: ExecutionContext): Promise<boolean> {
    return this.withRead(context, (found) => this.isAllowed(found, context)).then(
      (allowed) => allowed ?? true,
    );
  }

  /**
   * Sets session and user on the request of a handler, and refuses nobody.
   *
   * @returns `undefined` where there is no request that could carry a session
   */
  attach(context: ExecutionContext): Promise<FoundSession | undefined> {
    return this.withRead(context, (found) => {
      this.setUser(found.request, found.session?.user);
      return found;
    });
  }

  private async withRead<T>(
    context: ExecutionContext,
    use: (found: FoundSession) => T | Promise<T>,
  ): Promise<T | undefined> {
    const request = this.getRequest(context) as AuthenticatedRequest | undefined;
    if (!request) return undefined;
    const isHttp = context.getType() === 'http';
    if (!isHttp) keepRequest(context, request);
    const exchange = isHttp ? undefined : (exchangeOf(context) ?? withoutResponse(request));
    try {
      const { session, ended } = await this.loadSession(request, context, exchange);
      request.session = session;
      return await use({ request, session, ended });
    } catch (error) {
      if (error instanceof HttpException && !isHttp) return refusalIn(context, error);
      throw error;
    }
  }

  private async isAllowed(
    { request, session, ended }: FoundSession,
    context: ExecutionContext,
  ): Promise<boolean> {
    const found = session?.user ?? null;
    const isHandled = this.publicRoutes.of(context) || (!found && this.hasRequiredRole(request, context));
    const user = isHandled
      ? found
      : this.handleRequest(null, found, ended ?? session, context, found ? undefined : 401);
    const options = await this.getAuthenticateOptions(context);
    this.setUser(request, user, options?.property);
    return true;
  }

  /** Without a session, a user whom another guard has set stays. */
  private setUser(request: AuthenticatedRequest, user: unknown, property = this.options.property) {
    if (user) (request as unknown as Record<string, unknown>)[property] = user;
  }

  /** Whether another guard has set a user with a role that the route requires, as for an API key. */
  private hasRequiredRole(request: AuthenticatedRequest, context: ExecutionContext): boolean {
    const user = userOf(request, this.options.property);
    return user !== undefined && hasOneOf(this.requiredRoles.of(context), user);
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
    return context.getType() === 'http'
      ? context.switchToHttp().getRequest<AuthenticatedRequest>()
      : // `undefined` reaches no caller but this guard, which then reads no session.
        (exchangeOf(context)?.request as AuthenticatedRequest);
  }

  getAuthenticateOptions(
    _context: ExecutionContext,
  ): { property?: string } | undefined | Promise<{ property?: string } | undefined> {
    return undefined;
  }

  private async loadSession(
    request: AuthenticatedRequest,
    context: ExecutionContext,
    exchange: Exchange | undefined,
  ) {
    const response = exchange?.response ?? context.switchToHttp().getResponse<HttpResponse>();
    // Public routes never wait for the provider. Renewed tokens would be lost without a response that sets the cookie.
    const isReadOnly = this.publicRoutes.of(context) || exchange?.canSetCookies === false;
    try {
      const session = isReadOnly
        ? await this.sessions.load(request, response)
        : await this.sessions.loadFresh(request, response);
      return { session, ended: undefined };
    } catch (error) {
      if (isSessionEnded(error)) return { session: null, ended: error };
      throw error;
    }
  }
}
