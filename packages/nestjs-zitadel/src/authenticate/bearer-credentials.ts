import type { AuthUser, HttpRequest, HttpResponse, OtherCredentials } from '@mridang/nestjs-auth';
import { Inject, Injectable, type ExecutionContext, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { TokenInvalid } from '../bearer/api.errors.js';
import { BearerGuard, bearerTokenIn, refuse } from '../bearer/bearer.guard.js';
import type { CalledRequest } from '../bearer/caller.js';
import { Introspection } from '../bearer/introspection.js';
import { inOrganizationAsked } from '../organizations/acting.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { AUTHENTICATE_KEY, type AuthenticationKind } from './authenticate.decorators.js';

/** Bearer tokens on routes of a web application. Without the option `bearer`, none is valid there. */
@Injectable()
export class BearerCredentials implements OtherCredentials {
  readonly name = 'bearer token';
  readonly challenge: string | undefined;
  private readonly guard: BearerGuard | undefined;

  constructor(
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
    @Inject(Introspection) introspection: Introspection | undefined,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {
    this.guard = introspection && new BearerGuard(introspection, reflector);
    this.challenge = introspection && 'Bearer';
  }

  takenBy(route: [handler: () => void, owner: Type]): 'beside' | 'alone' | undefined {
    const { authenticate } = this.options;
    const kinds =
      this.reflector.getAllAndOverride<AuthenticationKind[] | undefined>(AUTHENTICATE_KEY, route) ??
      authenticate;
    if (!kinds.includes('bearer')) return undefined;
    return kinds.includes('session') ? 'beside' : 'alone';
  }

  /** The header with any scheme: a request that names other credentials than the cookie is not decided by the cookie. */
  areIn({ headers }: HttpRequest): boolean {
    return headers.authorization !== undefined;
  }

  async userOf(context: ExecutionContext, request: HttpRequest, response: HttpResponse): Promise<AuthUser> {
    if (!this.guard) return refuse(refusalWithoutGuard(request), response);
    const { user } = await this.guard.authenticate(context, request as CalledRequest, response);
    // `ZitadelModule` reads the user of every caller.
    return user as AuthUser;
  }

  sessionUser(user: AuthUser, request: HttpRequest): AuthUser {
    return inOrganizationAsked(user, request as CalledRequest);
  }
}

/** Why a token is refused where the program takes none. */
function refusalWithoutGuard(request: HttpRequest): unknown {
  try {
    bearerTokenIn(request);
  } catch (error) {
    return error;
  }
  return new TokenInvalid({
    needed: { bearerToken: true },
    held: { tokenProblem: 'this program takes no bearer tokens' },
    help: 'Operators: set the option `bearer` of ZitadelModule, or ZITADEL_API_KEY_FILE, which sets it.',
  });
}
