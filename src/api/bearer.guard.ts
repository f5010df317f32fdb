import { IS_PUBLIC_KEY, REQUIRED_ROLES_KEY } from '@mridang/nestjs-auth';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import {
  AuthorizationAmbiguous,
  CallerRoleRequired,
  LoginTooOld,
  ScopeRequired,
  TokenInvalid,
  TokenRequired,
} from './api.errors.js';
import { bearerTokenOf } from './bearer-token.js';
import type { Caller } from './caller.js';
import { Introspection } from './introspection.js';
import { FRESH_KEY, MAX_AGE_KEY, SCOPES_KEY } from './route.decorators.js';

/** A request whose token Zitadel has called active. */
export interface CalledRequest extends Request {
  caller?: Caller;
}

interface Rules {
  isPublic: boolean;
  isFresh: boolean;
  scopes: readonly string[];
  roles: readonly string[];
  maxAgeSeconds: number | undefined;
}

/** Lets in who has a valid token, with the scopes and roles the route asks for. */
@Injectable()
export class BearerGuard implements CanActivate {
  /** what decorators say does not change while the program runs */
  private readonly rules = new WeakMap<object, Rules>();

  constructor(
    private readonly introspection: Introspection,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rules = this.rulesFor(context);
    if (rules.isPublic) return true;
    const request = context.switchToHttp().getRequest<CalledRequest>();
    const given = bearerTokenOf(request);
    if (given.kind === 'none') throw new TokenRequired();
    if (given.kind === 'ambiguous') throw new AuthorizationAmbiguous();
    if (given.kind === 'malformed') throw new TokenInvalid();
    const caller = rules.isFresh
      ? this.introspection.callerNow(given.token)
      : this.introspection.callerOf(given.token);
    return caller instanceof Promise
      ? caller.then((known) => admit(request, known, rules))
      : admit(request, caller, rules);
  }

  private rulesFor(context: ExecutionContext): Rules {
    const handler = context.getHandler();
    const known = this.rules.get(handler);
    if (known) return known;
    const read = <T>(key: string, fallback: T): T =>
      this.reflector.getAllAndOverride<T | undefined>(key, [handler, context.getClass()]) ?? fallback;
    const rules: Rules = {
      isPublic: read(IS_PUBLIC_KEY, false),
      isFresh: read(FRESH_KEY, false),
      scopes: read<string[]>(SCOPES_KEY, []),
      roles: read<string[]>(REQUIRED_ROLES_KEY, []),
      maxAgeSeconds: read<number | undefined>(MAX_AGE_KEY, undefined),
    };
    this.rules.set(handler, rules);
    return rules;
  }
}

function admit(request: CalledRequest, caller: Caller, { scopes, roles, maxAgeSeconds }: Rules): true {
  if (!scopes.every((scope) => caller.scopes.includes(scope))) throw new ScopeRequired(scopes);
  if (roles.length > 0 && !roles.some((role) => caller.roles.includes(role)))
    throw new CallerRoleRequired(roles);
  if (maxAgeSeconds !== undefined && !isRecent(caller, maxAgeSeconds)) throw new LoginTooOld(maxAgeSeconds);
  request.caller = caller;
  return true;
}

/** Who never logged in, such as the owner of a personal access token, has not done so recently. */
const isRecent = ({ authenticatedAt = -Infinity }: Caller, maxAgeSeconds: number) =>
  Date.now() / 1000 - authenticatedAt <= maxAgeSeconds;
