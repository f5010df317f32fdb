import type { SignInFailed } from './auth.errors.js';
import { describeError } from './http/describe-error.js';

/**
 * A failed sign-in, for the log: reason, reference, and what the provider said or went wrong. Where in the code is said of
 * what an operator has to look at, not of what a person or a link has caused.
 */
export function describeSignInFailure(failure: SignInFailed): string {
  const { reason, reference, cause } = failure;
  const what = `Sign-in failed (${reason}, reference ${reference})`;
  if (cause === undefined) return what;
  return cause instanceof Error
    ? `${what}\n${describeError(cause, { withPlaces: failure.needsOperator })}`
    : `${what}: ${describeError(cause)}`;
}
