import { retryAfterOf, type HttpResponse, type SignInFailed } from '@mridang/nestjs-auth';
import type { Response } from 'express';
import { signInMessages } from './messages.js';

/** Answers a failed sign-in in place (502, 503), with the failure page. */
export function signInFailurePage(failure: SignInFailed, response: HttpResponse) {
  const { reason, reference } = failure;
  const message = signInMessages[reason];
  const page = response as Response;
  page.status(failure.getStatus()).setHeader('Cache-Control', 'no-store');
  const seconds = retryAfterOf(failure);
  if (seconds !== undefined) page.setHeader('Retry-After', String(seconds));
  page.render('sign-in-failed', { message, reason, reference, canStartAgain: message.offers === 'login' });
}
