import { IS_PUBLIC_KEY, REQUIRED_ROLES_KEY, RouteMetadata } from '@mridang/nestjs-auth';
import type { IncomingMessage } from 'node:http';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import {
  missingFactor,
  requirementsFrom,
  type SignInRequirements,
} from '../fresh-sign-in/sign-in-requirements.js';
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
import type { CalledRequest, Caller } from './caller.js';
import { Introspection } from './introspection.js';
import { FRESH_KEY, SCOPES_KEY } from './route.decorators.js';

interface Rules extends SignInRequirements {
  isPublic: boolean;
  isFresh: boolean;
  scopes: readonly string[];
  roles: readonly string[];
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
    const rules = this.rules.of(context);
    if (rules.isPublic) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<CalledRequest>();
    try {
      const caller = await this.callerOf(request, rules);
      check(caller, rules);
      request.caller = caller;
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.challenge)
        http.getResponse<Response>().setHeader('WWW-Authenticate', error.challenge);
      throw error;
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
  const roles = read<string[]>(REQUIRED_ROLES_KEY) ?? [];
  const { maxAgeSeconds, factors } = requirementsFrom(reflector, targets);
  const hasRequirements =
    isFresh || maxAgeSeconds !== undefined || [scopes, roles, factors].some(({ length }) => length > 0);
  const isPublic = !hasRequirements && read<boolean>(IS_PUBLIC_KEY) === true;
  return { isPublic, isFresh, scopes, roles, maxAgeSeconds, factors };
}

function check(caller: Caller, { scopes, roles, maxAgeSeconds, factors }: Rules) {
  if (!scopes.every((scope) => caller.scopes.includes(scope))) throw new ScopeRequired(scopes);
  if (roles.length > 0 && !roles.some((role) => caller.roles.includes(role)))
    throw new CallerRoleRequired(roles);
  if (maxAgeSeconds !== undefined && !isRecent(caller, maxAgeSeconds)) throw new LoginTooOld(maxAgeSeconds);
  if (missingFactor(factors, caller.factors) !== undefined) throw new FactorsRequired(factors);
}

/** A token without a login, such as a personal access token, is never recent. */
const isRecent = ({ authenticatedAt = -Infinity }: Caller, maxAgeSeconds: number) =>
  Date.now() / 1000 - authenticatedAt <= maxAgeSeconds + CLOCK_TOLERANCE_SECONDS;

/** The characters of a bearer token (RFC 6750 2.1). */
const TOKEN = /^[\w\-.~+/]+=*$/;

/**
 * Returns the bearer token of a request, from its only `Authorization` header with the scheme in any case (RFC 9110 11.1); never from the
 * query or the body (RFC 9700 4.3.2). Reads `rawHeaders`, where a repeated header is still visible.
 *
 * @throws `TokenRequired`, `AuthorizationAmbiguous` or `TokenInvalid`
 */
function bearerTokenIn({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): string {
  const [header, ...others] = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === 'authorization' && index % 2 === 1,
  );
  if (others.length > 0) throw new AuthorizationAmbiguous();
  const [scheme, token = '', ...rest] = (header ?? '').trim().split(/ +/);
  if (scheme?.toLowerCase() !== 'bearer') throw new TokenRequired();
  if (rest.length > 0 || !TOKEN.test(token)) throw new TokenInvalid();
  return token;
}
