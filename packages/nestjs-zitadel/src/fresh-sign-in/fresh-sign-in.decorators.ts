import { applyDecorators, SetMetadata, UseFilters, UseGuards } from '@nestjs/common';
import { FreshSignInFilter } from './fresh-sign-in.filter.js';
import { FreshSignInGuard } from './fresh-sign-in.guard.js';
import { FACTORS_KEY, MAX_AGE_KEY, METHOD } from './sign-in-requirements.js';

const MAX_SECONDS = 999_999_999;

/**
 * Requires of a class or method that the user has signed in at most `maxAgeSeconds` ago. A browser is redirected to a sign-in that asks
 * again, and back to the request, or after a POST to its form; a program gets 401 `insufficient_user_authentication` (RFC 9470).
 *
 * @param options.maxAgeSeconds a whole number above 0. Default 300
 * @throws `TypeError` for another number
 */
export function RequireFreshSignIn({ maxAgeSeconds = 300 }: { maxAgeSeconds?: number } = {}) {
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 1 || maxAgeSeconds > MAX_SECONDS)
    throw new TypeError(
      `RequireFreshSignIn: maxAgeSeconds is ${maxAgeSeconds}, expected a whole number above 0`,
    );
  return required(MAX_AGE_KEY, maxAgeSeconds);
}

/**
 * Requires of a class or method that the user has signed in with all of these authentication methods (claim `amr`, RFC 8176): of Zitadel
 * `mfa` (several factors, or a passkey), `otp` (one-time code), `user` (passkey or security key), `pwd`. Refuses as `RequireFreshSignIn`.
 *
 * @throws `TypeError` for no method, or for one that is no name
 */
export function RequireFactors(...factors: [string, ...string[]]) {
  const invalid = factors.find((factor) => !METHOD.test(factor));
  if (invalid !== undefined || factors.length === 0)
    throw new TypeError(`RequireFactors: ${JSON.stringify(invalid)} is no authentication method (RFC 8176)`);
  return required(FACTORS_KEY, factors);
}

const required = (key: symbol, value: unknown) =>
  applyDecorators(SetMetadata(key, value), UseGuards(FreshSignInGuard), UseFilters(FreshSignInFilter));
