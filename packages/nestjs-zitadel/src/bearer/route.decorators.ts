import { SetMetadata } from '@nestjs/common';

export const SCOPES_KEY = 'api:scopes';
export const FRESH_KEY = 'api:fresh';
export const MAX_AGE_KEY = 'api:max-age';

/** The characters of a scope (RFC 6749 3.3): none of them ends the text it stands in in a header. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The token must have every one of these scopes; else 403 `insufficient_scope`. On a method or a class; those of both add up.
 * Throws when one of them can be no scope.
 */
export function Scopes(...scopes: string[]) {
  const bad = scopes.find((scope) => !SCOPE.test(scope));
  if (bad !== undefined) throw new TypeError(`${JSON.stringify(bad)} can be no scope (RFC 6749 3.3)`);
  return SetMetadata(SCOPES_KEY, scopes);
}

/** Asks Zitadel about the token at every request: a revoked one is refused at once, and not after a minute. */
export const FreshToken = () => SetMetadata(FRESH_KEY, true);

/** The caller must have logged in no longer than so many seconds ago; else 401 `insufficient_user_authentication` (RFC 9470). */
export const MaxAge = (seconds: number) => SetMetadata(MAX_AGE_KEY, seconds);
