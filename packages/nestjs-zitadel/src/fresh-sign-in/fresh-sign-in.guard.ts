import {
  requestTarget,
  RouteMetadata,
  SessionRequired,
  SessionService,
  type AuthenticatedRequest,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { claimsIn } from '../claims/claims.js';
import { FreshSignInImpossible, FreshSignInRequired } from './fresh-sign-in.errors.js';
import { missingFactor, requirementsFrom, type SignInRequirements } from './sign-in-requirements.js';

/** Five seconds as in the check of the ID token after `max_age`, and as many for the way back to the page: a sign-in that was accepted counts. */
const TOLERANCE_SECONDS = 10;

/**
 * Compares the sign-in of the session with `@RequireFreshSignIn()` and `@RequireFactors()`. Runs after the global guards, so that people
 * without the role of a route are not asked to sign in. For a caller with a bearer token, `BearerGuard` has compared already.
 */
@Injectable()
export class FreshSignInGuard implements CanActivate {
  private readonly requirements: RouteMetadata<SignInRequirements>;

  constructor(
    @Inject(Reflector) reflector: Reflector,
    @Optional() @Inject(SessionService) private readonly sessions?: SessionService,
  ) {
    this.requirements = new RouteMetadata((targets) => requirementsFrom(reflector, targets));
  }

  /** @throws `FreshSignInRequired`, `FreshSignInImpossible` or `SessionRequired` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const required = this.requirements.of(context);
    // A context other than HTTP cannot be redirected, and is refused.
    if (context.getType() !== 'http') throw new FreshSignInRequired(required);
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest & { caller?: unknown }>();
    if (request.caller) return true;
    if (!this.sessions) throw new FreshSignInRequired(required);
    const token = await this.sessions.token(request, http.getResponse<Response>());
    if (!token) throw new SessionRequired(requestTarget(request));
    if (meets(token, required)) return true;
    throw token.idToken === undefined ? new FreshSignInImpossible() : new FreshSignInRequired(required);
  }
}

/** The age is measured with the clock of this machine, which may differ from that of Zitadel. */
function meets(
  { start = -Infinity, loginAge = Infinity, idToken }: SessionToken,
  { maxAgeSeconds = Infinity, factors }: SignInRequirements,
): boolean {
  const ageSeconds = Date.now() / 1000 - start + loginAge;
  const isYoung = maxAgeSeconds === Infinity || ageSeconds <= maxAgeSeconds + TOLERANCE_SECONDS;
  return isYoung && missingFactor(factors, factors.length > 0 && claimsIn(idToken)['amr']) === undefined;
}
