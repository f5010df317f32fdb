import type { Discovery } from '../../src/client/discovery.js';
import { TokenVerifier } from '../../src/tokens/token-verifier.js';
import type { ResolvedZitadelOptions } from '../../src/zitadel.options.js';

export const issuer = 'https://zitadel.example';
export const clientId = '330000000000000001';

/** A verifier of tokens for `clientId`; `keyDocument` returns the keys for each fetch. */
export function verifierWith(keyDocument: () => unknown, algorithms = ['RS256']): TokenVerifier {
  const metadata = { jwks_uri: `${issuer}/keys`, id_token_signing_alg_values_supported: algorithms };
  const discovery = {
    metadata: () => Promise.resolve(metadata),
    fetch: async () => {
      await Promise.resolve();
      return Response.json(keyDocument());
    },
  } as unknown as Discovery;
  return new TokenVerifier(discovery, { issuer, clientId } as ResolvedZitadelOptions);
}

/** The first cause of the rejection of `work`. */
export async function causeOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => new Error('It was not rejected'),
    (failure: unknown) => failure as Error,
  );
  return error.cause instanceof Error ? error.cause : error;
}
