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
import { IS_PUBLIC_KEY } from '../auth.decorators.js';
import { isSessionEnded, SessionRequired, type SessionEnded } from '../auth.errors.js';
import type { AuthenticatedRequest, AuthUser, HttpResponse, Session } from '../auth.types.js';
import type { OtherCredentials } from '../auth.options.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { setHeader, variesBy } from '../http/raw-response.js';
import { refusalIn } from '../http/refusal-in.js';
import { isPageRequest, requestTarget } from '../http/request-facts.js';
import { exchangeOf, keepRequest, withoutResponse } from '../http/request-of.js';
import { stateOf } from '../http/request-state.js';
import { hasOneOf, rolesMetadata, userOf } from '../http/required-roles.js';
import { RouteMetadata } from '../http/route-metadata.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { SessionService } from '../session/session.service.js';

/** The methods of a guard made by `AuthGuard()` that a subclass may override. */
export interface IAuthGuard extends CanActivate {
  /**
   * Decides about a request for a route that is not public.
   *
   * @param info the session, or `SessionEnded` when the provider has ended it; `null` for the user of other credentials
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
  response: HttpResponse;
  rules: RouteRules;
  session: Session | null;
  /** why the session ended whose cookie the request carries */
  ended: SessionEnded | undefined;
}

interface RouteRules {
  isPublic: boolean;
  /** what the route takes beside the cookie, or alone */
  other?: { credentials: OtherCredentials; isAlone: boolean };
}

/** Whether other credentials than the session decide about a request. */
const isDecidedBy = (
  other: RouteRules['other'],
  request: AuthenticatedRequest,
): other is NonNullable<RouteRules['other']> =>
  other !== undefined && (other.isAlone || other.credentials.areIn(request));

/** Methods that change nothing (RFC 9110 9.2.1). */
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

const reflector = new Reflector();

@Injectable()
export class SessionGuard implements IAuthGuard {
  private readonly routes = new RouteMetadata((targets): RouteRules => {
    const isPublic = reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC_KEY, targets) === true;
    const { credentials } = this.options;
    const taken = isPublic ? undefined : credentials?.takenBy(targets);
    return {
      isPublic,
      ...(credentials && taken ? { other: { credentials, isAlone: taken === 'alone' } } : {}),
    };
  });
  private readonly requiredRoles = rolesMetadata(reflector);

  // Properties: the constructor of a subclass does not have to know them.
  @Inject(SessionService) private readonly sessions!: SessionService;
  @Inject(ResolvedAuthOptions) private readonly options!: ResolvedAuthOptions;
  @Inject(CsrfService) private readonly csrf!: CsrfService;

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

  /**
   * As `attach`, where no guard has decided before: a route that takes other credentials takes them here, or the cookie with the CSRF
   * token, and refuses others.
   */
  attachUser(context: ExecutionContext): Promise<FoundSession | undefined> {
    return this.withRead(context, async (found) => {
      const { request, response, rules, session } = found;
      const user = isDecidedBy(rules.other, request)
        ? await rules.other.credentials.userOf(context, request, response)
        : session?.user && this.actingUser(session.user, found);
      this.setUser(request, user);
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
    const response = exchange?.response ?? context.switchToHttp().getResponse<HttpResponse>();
    const rules = this.routes.of(context);
    // Public routes never wait for the provider. Renewed tokens would be lost without a response that sets the cookie.
    const isReadOnly = rules.isPublic || exchange?.canSetCookies === false;
    try {
      const { session, ended } = await this.loadSession(request, response, rules, isReadOnly);
      request.session = session;
      return await use({ request, response, rules, session, ended });
    } catch (error) {
      if (error instanceof HttpException && !isHttp) return refusalIn(context, error);
      throw error;
    }
  }

  private async isAllowed(found: FoundSession, context: ExecutionContext): Promise<boolean> {
    const { request, response, rules } = found;
    const { other } = rules;
    const user = isDecidedBy(other, request)
      ? this.handleRequest(null, await other.credentials.userOf(context, request, response), null, context)
      : this.userOfSession(found, context);
    const options = await this.getAuthenticateOptions(context);
    this.setUser(request, user, options?.property);
    return true;
  }

  private userOfSession(found: FoundSession, context: ExecutionContext): AuthUser | User | null {
    const { request, session, ended, rules } = found;
    const user = session?.user ?? null;
    if (rules.isPublic || (!user && this.hasRequiredRole(request, context))) return user;
    const handled = this.handleRequest(null, user, ended ?? session, context, user ? undefined : 401);
    if (!session?.user) return handled;
    const acting = this.actingUser(session.user, found);
    return handled === user ? acting : handled;
  }

  /** Returns the user of a session, with the CSRF token checked on a route that takes other credentials beside the cookie. */
  private actingUser(user: AuthUser, { request, session, rules: { other } }: FoundSession): AuthUser {
    if (!other) return user;
    if (!SAFE_METHODS.includes(request.method)) this.csrf.verify(request);
    const acting = other.credentials.sessionUser?.(user, request) ?? user;
    request.session = { ...session, user: acting } as Session;
    return acting;
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
    throw this.refusalOf(context, isSessionEnded(info) ? info : undefined);
  }

  /**
   * Returns the refusal of a request without a session. Names the other credentials of the route to a program, in `WWW-Authenticate`.
   *
   * @param ended why the session ended whose cookie the request carries
   */
  refusalOf(context: ExecutionContext, ended: SessionEnded | undefined): SessionRequired {
    const request = this.getRequest(context);
    const { challenge, name } = this.routes.of(context).other?.credentials ?? {};
    const response = exchangeOf(context)?.response ?? context.switchToHttp().getResponse<HttpResponse>();
    if (challenge && !isPageRequest(request.headers)) setHeader(response, 'www-authenticate', challenge);
    return new SessionRequired(requestTarget(request), ended?.reason, {
      cause: ended,
      isCookieUnreadable: stateOf(request).isCookieUnreadable,
      otherCredentials: challenge && name,
    });
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
    response: HttpResponse,
    { other }: RouteRules,
    isReadOnly: boolean,
  ) {
    if (other) variesBy(response, 'Authorization', 'Cookie');
    if (isDecidedBy(other, request))
      return { session: this.sessions.ignoreCookie(request), ended: undefined };
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
