import { SetMetadata } from '@nestjs/common';
import { SCOPE } from '../claims/claims.js';

export const SCOPES_KEY = 'api:scopes';
export const FRESH_KEY = 'api:fresh';

/**
 * Requires all of these scopes; else 403 `insufficient_scope`. Scopes of a method and of its class add up.
 *
 * @throws `TypeError` for an invalid scope
 */
export function Scopes(...scopes: string[]) {
  const invalid = scopes.find((scope) => !SCOPE.test(scope));
  if (invalid !== undefined)
    throw new TypeError(`${JSON.stringify(invalid)} is not a valid scope (RFC 6749 3.3)`);
  return SetMetadata(SCOPES_KEY, scopes);
}

/** Bypasses the introspection cache: a revoked token is refused at once, and not after up to a minute. */
export const FreshToken = () => SetMetadata(FRESH_KEY, true);
