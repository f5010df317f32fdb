import {
  hasOneOf,
  IS_PUBLIC_KEY,
  requiredRoles,
  RouteMetadata,
  type HttpResponse,
  type RequiredRoles,
} from '@mridang/nestjs-auth';
import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { inOrganizationAsked } from '../organizations/acting.js';
import { organizationRefusal } from '../organizations/organization.errors.js';
import {
  missingFactor,
  requirementsFrom,
  type SignInRequirements,
} from '../fresh-sign-in/sign-in-requirements.js';
import { isToken } from '../tokens/presented-token.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import {
  ApiError,
  AuthorizationAmbiguous,
  CallerRoleRequired,
  FactorsRequired,
  LoginTooOld,
  ScopeRequired,
  TokenInvalid,
  TokenRequired,
} from './api.errors.js';
import { callerFacts, type CalledRequest, type Caller } from './caller.js';
import { Introspection } from './introspection.js';
import { FRESH_KEY, SCOPES_KEY } from './route.decorators.js';

interface Rules extends SignInRequirements {
  isPublic: boolean;
  isFresh: boolean;
  scopes: readonly string[];
  required: RequiredRoles;
}

/**
 * Requires a valid bearer token with the scopes and roles of the route. A route is public when it is `@Public()` and neither the method nor
 * its class has another requirement.
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly rules: RouteMetadata<Rules>;

  constructor(
    private readonly introspection: Introspection,
    reflector: Reflector,
  ) {
    this.rules = new RouteMetadata((targets) => rulesFrom(reflector, targets));
  }

  /** @throws `ApiError`, after its challenge was set as `WWW-Authenticate` (RFC 6750 3) */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.rules.of(context).isPublic) return true;
    const http = context.switchToHttp();
    await this.authenticate(context, http.getRequest<CalledRequest>(), http.getResponse<Response>());
    return true;
  }

  /**
   * Returns the caller of a route, public or not, and sets it on the request.
   *
   * @throws as `canActivate`
   */
  async authenticate(
    context: ExecutionContext,
    request: CalledRequest,
    response: HttpResponse,
  ): Promise<Caller> {
    const rules = this.rules.of(context);
    try {
      const caller = actingCaller(await this.callerOf(request, rules), request);
      request.caller = caller;
      check(caller, request.organizationAsked, rules);
      return caller;
    } catch (error) {
      return refuse(error, response);
    }
  }

  private callerOf(request: CalledRequest, { isFresh }: Rules): Promise<Caller> {
    const token = bearerTokenIn(request);
    return isFresh ? this.introspection.freshCallerOf(token) : this.introspection.callerOf(token);
  }
}

function rulesFrom(reflector: Reflector, targets: Parameters<Reflector['getAllAndOverride']>[1]): Rules {
  const read = <T>(key: string | symbol) => reflector.getAllAndOverride<T | undefined>(key, targets);
  const isFresh = read<boolean>(FRESH_KEY) ?? false;
  const scopes = [...new Set(reflector.getAllAndMerge<string[]>(SCOPES_KEY, targets))];
  const required = requiredRoles(reflector, targets);
  const { maxAgeSeconds, factors } = requirementsFrom(reflector, targets);
  const hasRequirements =
    isFresh ||
    maxAgeSeconds !== undefined ||
    [scopes, required.roles, factors].some(({ length }) => length > 0);
  const isPublic = !hasRequirements && read<boolean>(IS_PUBLIC_KEY) === true;
  return { isPublic, isFresh, scopes, required, maxAgeSeconds, factors };
}

function check(caller: Caller, asked: unknown, { scopes, required, maxAgeSeconds, factors }: Rules) {
  if (!scopes.every((scope) => caller.scopes.includes(scope)))
    throw new ScopeRequired(scopes, callerFacts(caller));
  if (required.roles.length > 0 && !hasOneOf(required, caller)) {
    const isOfAny = required.member !== 'roles';
    const held = callerFacts(caller);
    throw (
      (isOfAny ? undefined : organizationRefusal(caller, { asked, held, roles: required.roles })) ??
      new CallerRoleRequired(required.roles, held)
    );
  }
  if (maxAgeSeconds !== undefined && !isRecent(caller, maxAgeSeconds))
    throw new LoginTooOld(maxAgeSeconds, callerFacts(caller));
  if (missingFactor(factors, caller.factors) !== undefined)
    throw new FactorsRequired(factors, callerFacts(caller));
}

/** Returns the caller, and its user, with the roles in the organization asked for. */
function actingCaller(caller: Caller, request: CalledRequest): Caller {
  const acting = inOrganizationAsked(caller, request);
  if (acting === caller || !caller.user) return acting;
  return Object.freeze({ ...acting, user: inOrganizationAsked(caller.user, request) });
}

/** Throws `error`, after its challenge was set as `WWW-Authenticate` (RFC 6750 3). */
export function refuse(error: unknown, response: HttpResponse): never {
  if (error instanceof ApiError && error.challenge)
    (response as Response).setHeader('WWW-Authenticate', error.challenge);
  throw error;
}

/** A token without a login, such as a personal access token, is never recent. */
const isRecent = ({ authenticatedAt = -Infinity }: Caller, maxAgeSeconds: number) =>
  Date.now() / 1000 - authenticatedAt <= maxAgeSeconds + CLOCK_TOLERANCE_SECONDS;

/** Messages of a WebSocket come with the parsed headers of its upgrade alone. */
type SentHeaders = Pick<IncomingMessage, 'headers'> & Partial<Pick<IncomingMessage, 'rawHeaders'>>;

/**
 * Returns the bearer token of a request, from its only `Authorization` header with the scheme in any case (RFC 9110 11.1); never from the
 * query or the body (RFC 9700 4.3.2). Reads `rawHeaders`, where a repeated header is still visible.
 *
 * @throws `TokenRequired`, `AuthorizationAmbiguous` or `TokenInvalid`
 */
export function bearerTokenIn({
  headers,
  rawHeaders = Object.entries(headers).flat().map(String),
}: SentHeaders): string {
  const [header, ...others] = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === 'authorization' && index % 2 === 1,
  );
  if (others.length > 0) throw new AuthorizationAmbiguous();
  const [scheme, token = '', ...rest] = (header ?? '').trim().split(/ +/);
  if (scheme === '') throw new TokenRequired();
  if (scheme?.toLowerCase() !== 'bearer')
    throw new TokenRequired({ bearerToken: 'none, but an Authorization header of another scheme' });
  if (rest.length > 0 || !isToken(token))
    throw new TokenInvalid({
      needed: { bearerToken: true },
      held: {
        tokenProblem:
          token === '' ? 'the token is empty' : 'it has characters that no token has (RFC 6750 2.1)',
      },
      help: 'Send the header Authorization: Bearer … with the token alone.',
    });
  return token;
}
