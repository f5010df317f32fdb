import { IS_PUBLIC_KEY, REQUIRED_ROLES_KEY, RouteMetadata } from '@mridang/nestjs-auth';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/clock-tolerance.js';
import {
  ApiError,
  AuthorizationAmbiguous,
  CallerRoleRequired,
  LoginTooOld,
  ScopeRequired,
  TokenInvalid,
  TokenRequired,
} from './api.errors.js';
import { bearerTokenOf } from './bearer-token.js';
import type { CalledRequest, Caller } from './caller.js';
import { Introspection } from './introspection.js';
import { FRESH_KEY, MAX_AGE_KEY, SCOPES_KEY } from './route.decorators.js';

interface Rules {
  isPublic: boolean;
  isFresh: boolean;
  scopes: readonly string[];
  roles: readonly string[];
  maxAgeSeconds: number | undefined;
}

/**
 * Lets in who has a valid token, with the scopes and roles the route asks for. A route is public when it is `@Public()` and
 * neither it nor its class asks for anything.
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

  /** Throws an `ApiError`, whose challenge (RFC 6750 3) is on the response by then. */
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
    const given = bearerTokenOf(request);
    if (given.kind === 'none') throw new TokenRequired();
    if (given.kind === 'ambiguous') throw new AuthorizationAmbiguous();
    if (given.kind === 'malformed') throw new TokenInvalid();
    return isFresh ? this.introspection.callerNow(given.token) : this.introspection.callerOf(given.token);
  }
}

function rulesFrom(reflector: Reflector, targets: Parameters<Reflector['getAllAndOverride']>[1]): Rules {
  const read = <T>(key: string) => reflector.getAllAndOverride<T | undefined>(key, targets);
  const isFresh = read<boolean>(FRESH_KEY) ?? false;
  const scopes = [...new Set(reflector.getAllAndMerge<string[]>(SCOPES_KEY, targets))];
  const roles = read<string[]>(REQUIRED_ROLES_KEY) ?? [];
  const maxAgeSeconds = read<number>(MAX_AGE_KEY);
  const asksForSomething = isFresh || scopes.length > 0 || roles.length > 0 || maxAgeSeconds !== undefined;
  const isPublic = !asksForSomething && read<boolean>(IS_PUBLIC_KEY) === true;
  return { isPublic, isFresh, scopes, roles, maxAgeSeconds };
}

function check(caller: Caller, { scopes, roles, maxAgeSeconds }: Rules) {
  if (!scopes.every((scope) => caller.scopes.includes(scope))) throw new ScopeRequired(scopes);
  if (roles.length > 0 && !roles.some((role) => caller.roles.includes(role)))
    throw new CallerRoleRequired(roles);
  if (maxAgeSeconds !== undefined && !isRecent(caller, maxAgeSeconds)) throw new LoginTooOld(maxAgeSeconds);
}

/** Who never logged in, such as the owner of a personal access token, has not done so recently. */
const isRecent = ({ authenticatedAt = -Infinity }: Caller, maxAgeSeconds: number) =>
  Date.now() / 1000 - authenticatedAt <= maxAgeSeconds + CLOCK_TOLERANCE_SECONDS;
