import type { RefusalFacts, RefusalReason } from '@mridang/nestjs-auth';
import { ForbiddenException } from '@nestjs/common';
import { ApiError, insufficientAuthentication } from '../bearer/api.errors.js';
import { missingFactor, signInFacts, type SignInRequirements } from './sign-in-requirements.js';

/** 401: the sign-in of the session is too old for the route, or lacks a factor. A browser is redirected to a new one. */
export class FreshSignInRequired extends ApiError {
  readonly code = 'AUTH_FRESH_SIGN_IN_REQUIRED';

  constructor(
    readonly required: SignInRequirements,
    held?: RefusalFacts,
  ) {
    const { factors } = required;
    const lacksFactor = missingFactor(factors, held?.['factors']) !== undefined;
    const message = lacksFactor
      ? `This needs a login with: ${factors.join(', ')}`
      : 'This needs a new sign-in';
    const challenge = insufficientAuthentication(message, required.maxAgeSeconds);
    super(message, 401, challenge, { needed: signInFacts(required), held });
  }
}

/** 403: the route requires a new sign-in at Zitadel, and the session is that of another provider, or of a client without tokens. */
export class FreshSignInImpossible extends ForbiddenException implements RefusalReason {
  readonly code = 'AUTH_FRESH_SIGN_IN_IMPOSSIBLE';
  readonly needed: RefusalFacts;
  readonly held = { provider: 'another than Zitadel, or no ID token' };

  constructor(required: SignInRequirements) {
    super('This needs a sign-in with Zitadel');
    this.needed = signInFacts(required);
  }
}
