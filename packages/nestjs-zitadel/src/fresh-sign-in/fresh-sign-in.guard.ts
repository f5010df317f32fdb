import {
  requestTarget,
  RouteMetadata,
  SessionRequired,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { BearerGuard } from '../bearer/bearer.guard.js';
import { claimsIn } from '../claims/claims.js';
import { FreshSignInImpossible, FreshSignInRequired } from './fresh-sign-in.errors.js';
import {
  factorsIn,
  meets,
  requirementsFrom,
  signInAgeOf,
  type SignInRequirements,
} from './sign-in-requirements.js';

/** Metadata key of `@UseGuards()`. */
const GUARDS = '__guards__';

/**
 * Compares the sign-in of the session with `@RequireFreshSignIn()` and `@RequireFactors()`. Runs after the global guards, so that people
 * without the role of a route are not asked to sign in. For a caller with a bearer token, `BearerGuard` compares.
 */
@Injectable()
export class FreshSignInGuard implements CanActivate {
  private readonly requirements: RouteMetadata<SignInRequirements>;
  private readonly hasBearerGuard: RouteMetadata<boolean>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(SessionService) private readonly sessions?: SessionService,
  ) {
    this.requirements = new RouteMetadata((targets) => requirementsFrom(reflector, targets));
    this.hasBearerGuard = new RouteMetadata((targets) =>
      reflector.getAllAndMerge<unknown[]>(GUARDS, targets).includes(BearerGuard),
    );
  }

  /** @throws `FreshSignInRequired`, `FreshSignInImpossible` or `SessionRequired` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const required = this.requirements.of(context);
    // A context other than HTTP cannot be redirected, and is refused.
    if (context.getType() !== 'http') throw new FreshSignInRequired(required);
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest & { caller?: unknown }>();
    // A guard of the same route may come after this one.
    if (request.caller || this.hasBearerGuard.of(context)) return true;
    if (!this.sessions) throw new FreshSignInRequired(required);
    const token = await this.sessions.token(request, http.getResponse<Response>());
    if (!token) throw new SessionRequired(requestTarget(request));
    if (meets(token, required)) return true;
    if (token.idToken === undefined) throw new FreshSignInImpossible(required);
    throw new FreshSignInRequired(required, {
      signInAgeSeconds: Math.round(signInAgeOf(token)),
      factors: factorsIn(claimsIn(token.idToken)['amr']),
    });
  }
}
