/**
 * Scopes as one text for oidc-provider's models. A role key, and with it a role scope, may have a blank in it, which
 * the `scope` of OAuth (RFC 6749 section 3.3) cannot tell from the one between two scopes.
 */
export function storedScope(scopes: string[]): string {
  return scopes.map((scope) => encodeURIComponent(scope)).join(' ');
}

/** The scopes in such a text. */
export function scopesStoredIn(stored: string | undefined): string[] {
  return (stored ?? '').split(' ').filter(Boolean).map(decodeURIComponent);
}
