import { retryAfterOf, type HttpResponse, type SignInFailed, type SignInFailure } from '@mridang/nestjs-auth';
import type { Response } from 'express';
import { messageFor, messageOf } from '../texts/text.js';

/** Failures that a new sign-in does not help. One from the error page would lose the organization. */
const final: readonly unknown[] = [
  'provider_misconfigured',
  'login_too_old',
  'user_mismatch',
  'factor_missing',
  'organization_unknown',
  'organization_mismatch',
] satisfies SignInFailure[];

/** The model of the view `sign-in-failed`. The reason may be any text. */
export function signInFailureModel(reason: unknown) {
  const message = messageFor('signIn', reason);
  return {
    message: message ?? messageOf('signIn.unknown'),
    reason: message && reason,
    canStartAgain: !final.includes(reason),
  };
}

/** Answers a failed sign-in in place (502, 503), with the failure page. */
export function signInFailurePage(failure: SignInFailed, response: HttpResponse) {
  const page = response as Response;
  page.status(failure.getStatus()).setHeader('Cache-Control', 'no-store');
  const seconds = retryAfterOf(failure);
  if (seconds !== undefined) page.setHeader('Retry-After', String(seconds));
  page.render('sign-in-failed', { ...signInFailureModel(failure.reason), reference: failure.reference });
}
