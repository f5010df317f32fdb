import { ForbiddenException } from '@nestjs/common';
import { ApiError, insufficientAuthentication } from '../bearer/api.errors.js';
import type { SignInRequirements } from './sign-in-requirements.js';

/** 401: the sign-in of the session is too old for the route, or lacks a factor. A browser is redirected to a new one. */
export class FreshSignInRequired extends ApiError {
  readonly code = 'AUTH_FRESH_SIGN_IN_REQUIRED';

  constructor(readonly required: SignInRequirements) {
    const message = 'This needs a new sign-in';
    super(message, 401, insufficientAuthentication(message, required.maxAgeSeconds));
  }
}

/** 403: the route requires a new sign-in at Zitadel, and the session is that of another provider, or of a client without tokens. */
export class FreshSignInImpossible extends ForbiddenException {
  readonly code = 'AUTH_FRESH_SIGN_IN_IMPOSSIBLE';

  constructor() {
    super('This needs a sign-in with Zitadel');
  }
}
