import type { Discovery } from '../../src/client/discovery.js';
import { TokenVerifier } from '../../src/tokens/token-verifier.js';
import type { ResolvedZitadelOptions } from '../../src/zitadel.options.js';

export const issuer = 'https://zitadel.example';
export const clientId = '330000000000000001';

/** A verifier of tokens for `clientId`, with the keys that `keyDocument` gives each time they are fetched. */
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

/** What `work` rejects with: the first cause, which says why. */
export async function causeOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => new Error('It was not rejected'),
    (failure: unknown) => failure as Error,
  );
  return error.cause instanceof Error ? error.cause : error;
}
