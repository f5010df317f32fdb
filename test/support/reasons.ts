import { signInFailureStatus, type SessionEnd } from '@mridang/nestjs-auth';
import type { SignedOut, SignOutFailure } from '@mridang/nestjs-zitadel';

// All reasons: TypeScript reports a missing and a superfluous one.

export const signInFailures = Object.keys(signInFailureStatus);

export const signOutFailures = Object.keys({
  state_missing: true,
  state_mismatch: true,
  provider_unavailable: true,
  others_not_ended: true,
} satisfies Record<SignOutFailure, true>);

export const sessionEnds = Object.keys({
  refresh_rejected: true,
  revoked: true,
  unusable: true,
  no_refresh: true,
} satisfies Record<SessionEnd, true>);

export const signedOuts = Object.keys({
  user: true,
  everywhere: true,
  here: true,
  before: true,
} satisfies Record<SignedOut, true>);
