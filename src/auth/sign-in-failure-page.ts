import {
  retryAfterOf,
  type AuthenticatedRequest,
  type HttpResponse,
  type SignInFailed,
  type SignInFailure,
} from '@mridang/nestjs-auth';
import type { Response } from 'express';
import { messageFor, messageOf, type Message } from '../texts/text.js';

/** Failures that a new sign-in does not help. One from the error page would lose the organization. */
const final: readonly unknown[] = [
  'provider_misconfigured',
  'login_too_old',
  'user_mismatch',
  'factor_missing',
  'organization_unknown',
  'organization_mismatch',
] satisfies SignInFailure[];

/** Failures of a proof after which the person can open the requested page again. */
const repeatable: readonly unknown[] = ['user_mismatch', 'factor_missing'] satisfies SignInFailure[];

/**
 * The model of the view `sign-in-failed`. The reason may be any text.
 *
 * @param page.returnTo the requested page
 * @param page.isSignedIn whether a session stays: a page asked for a new sign-in
 */
export function signInFailureModel(
  reason: unknown,
  { returnTo, isSignedIn = false }: { returnTo?: string | undefined; isSignedIn?: boolean } = {},
) {
  const isProof = isSignedIn && reason === ('access_denied' satisfies SignInFailure);
  const message: Message | undefined = isProof
    ? { title: 'proof.denied.title', text: 'proof.denied.text' }
    : messageFor('signIn', reason);
  return {
    message: message ?? messageOf('signIn.unknown'),
    reason: message && reason,
    canStartAgain: !final.includes(reason),
    startQuery: returnTo && `?${new URLSearchParams({ callbackUrl: returnTo }).toString()}`,
    returnTo,
    canOpenAgain: returnTo !== undefined && isSignedIn && repeatable.includes(reason),
  };
}

/** Answers a failed sign-in in place (502, 503), with the failure page. */
export function signInFailurePage(
  failure: SignInFailed,
  request: AuthenticatedRequest,
  response: HttpResponse,
) {
  const page = response as Response;
  page.status(failure.getStatus()).setHeader('Cache-Control', 'no-store');
  const seconds = retryAfterOf(failure);
  if (seconds !== undefined) page.setHeader('Retry-After', String(seconds));
  page.render('sign-in-failed', {
    ...signInFailureModel(failure.reason, {
      returnTo: failure.returnTo,
      isSignedIn: Boolean(request.session),
    }),
    reference: failure.reference,
  });
}
