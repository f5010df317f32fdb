/** Signatures that only the holder of a private key can make: no `none`, and no HMAC with a public key (RFC 8725 3.1). */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** OpenID Connect Core 15.1. */
const fallback = ['RS256'];

/** Which algorithms a token may be signed with, of those the provider's metadata list. */
export function signingAlgorithms(listed: unknown): string[] {
  const supported: unknown[] = Array.isArray(listed) ? listed : fallback;
  return asymmetric.filter((algorithm) => supported.includes(algorithm));
}
