import type { ServerMetadata } from 'openid-client';
import { isPlainRemote } from '../http/is-plain-remote.js';

/** Provider metadata with all endpoints that a sign-in needs. */
export interface CheckedMetadata extends ServerMetadata {
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri: string;
}

const required = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const optional = [
  'userinfo_endpoint',
  'end_session_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
] as const;

/**
 * Checks provider metadata: its `issuer` is `issuer`, character by character (OpenID Connect Discovery 4.3), and it has the endpoints of a
 * sign-in, with https.
 *
 * @throws `TypeError` with the reason
 */
export function checkedMetadata(
  document: unknown,
  { issuer, allowInsecureHttp }: { issuer: string; allowInsecureHttp: boolean },
): CheckedMetadata {
  if (typeof document !== 'object' || document === null)
    throw new TypeError('The metadata are not a JSON object');
  const metadata = document as Record<string, unknown>;
  if (metadata['issuer'] !== issuer) {
    throw new TypeError(
      `The metadata have the issuer ${JSON.stringify(metadata['issuer'])}, and the configured issuer is ${issuer}`,
    );
  }
  for (const name of [...required, ...optional]) {
    const address = metadata[name];
    if (address === undefined && (optional as readonly string[]).includes(name)) continue;
    const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new TypeError(`The metadata have no valid ${name}`);
    }
    if (isPlainRemote(url) && !allowInsecureHttp) {
      throw new TypeError(`The metadata have an ${name} without https`);
    }
  }
  return metadata as unknown as CheckedMetadata;
}

/** Endpoints of Zitadel, for pages that must not wait for its metadata. */
export const loginAddresses = (issuer: string) => ({
  authorizationUrl: `${issuer}/oauth/v2/authorize`,
  tokenUrl: `${issuer}/oauth/v2/token`,
});
