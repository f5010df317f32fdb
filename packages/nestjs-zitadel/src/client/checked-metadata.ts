import type { ServerMetadata } from 'openid-client';
import { isPlainRemote } from '../http/is-plain-remote.js';

/** Metadata with everything a sign-in needs. */
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
 * Returns `document` when it describes `issuer`, character by character (OpenID Connect Discovery 4.3), and names what a
 * sign-in needs at addresses that may be called. Throws with the reason otherwise.
 */
export function checkedMetadata(
  document: unknown,
  { issuer, allowInsecureHttp }: { issuer: string; allowInsecureHttp: boolean },
): CheckedMetadata {
  if (typeof document !== 'object' || document === null)
    throw new TypeError('The metadata are no JSON object');
  const metadata = document as Record<string, unknown>;
  if (metadata['issuer'] !== issuer) {
    throw new TypeError(
      `The metadata are those of ${JSON.stringify(metadata['issuer'])}, and the configured issuer is ${issuer}`,
    );
  }
  for (const name of [...required, ...optional]) {
    const address = metadata[name];
    if (address === undefined && (optional as readonly string[]).includes(name)) continue;
    const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new TypeError(`The metadata name no usable ${name}`);
    }
    if (isPlainRemote(url) && !allowInsecureHttp) {
      throw new TypeError(`The metadata name an ${name} without https`);
    }
  }
  return metadata as unknown as CheckedMetadata;
}
