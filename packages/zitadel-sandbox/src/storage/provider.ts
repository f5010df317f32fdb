import { generateKeyPairSync } from 'node:crypto';
import type { ClientMetadata, KoaContextWithOIDC, Provider as ProviderType } from 'oidc-provider';
import type { MemoryStore } from './memory.adapter.js';

export type Provider = ProviderType;
export type Context = KoaContextWithOIDC;
export type AccessToken = InstanceType<Provider['AccessToken']>;
export type AuthorizationCode = InstanceType<Provider['AuthorizationCode']>;
export type RefreshToken = InstanceType<Provider['RefreshToken']>;
export type Session = InstanceType<Provider['Session']>;
export type Interaction = InstanceType<Provider['Interaction']>;

const { Provider: ProviderClass } = await withoutWarning(
  'Unsupported runtime',
  () => import('oidc-provider'),
);

/**
 * The oidc-provider instance. The sandbox uses its HTTP application, to which it adds its own endpoints, and its
 * models with their expiry and single use (sessions, authorization requests, codes, access and refresh tokens).
 */
export function createProvider(issuer: string, store: MemoryStore, ownerIds: string[]): Provider {
  return new ProviderClass(issuer, {
    adapter: store.adapterFor,
    // oidc-provider checks redirect URIs and client authentication more strictly than Zitadel, so its clients hold
    // nothing but an id; the sandbox checks the rest
    clients: ownerIds.map(ownerClient),
    // oidc-provider requires a key, but never signs with it: the sandbox signs all JWTs (signing-keys.ts)
    jwks: { keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] },
    clockTolerance: 0,
    features: { devInteractions: { enabled: false } },
    extraTokenClaims: (_ctx, token) => token.extra,
  });
}

const ownerClient = (client_id: string): ClientMetadata => ({
  client_id,
  redirect_uris: [],
  response_types: [],
  grant_types: [],
  token_endpoint_auth_method: 'none',
  id_token_signed_response_alg: 'Ed25519',
});

/** Adds the client of an application or a user that was made after the start. */
export async function addClient(store: MemoryStore, id: string): Promise<void> {
  const forEver = 2 ** 31;
  await store.adapterFor('Client').upsert(id, ownerClient(id), forEver);
}

type AccessTokenProperties = ConstructorParameters<Provider['AccessToken']>[0];

/** Stores an access token under the `jti` that the caller chose. */
export async function saveAccessToken(
  provider: Provider,
  properties: AccessTokenProperties,
): Promise<AccessToken> {
  const token = new provider.AccessToken(properties);
  // oidc-provider sets the format only when it also generates the `jti`
  Object.assign(token, { format: 'opaque' });
  await token.save();
  return token;
}

/** The oidc-provider client of an application or a user, by its id. */
export async function findClient(provider: Provider, id: string): Promise<AccessTokenProperties['client']> {
  const client = await provider.Client.find(id);
  if (!client) throw new Error(`Unknown client ${id}`);
  return client;
}

/** Runs `load` and suppresses console warnings that contain `words`. */
async function withoutWarning<Result>(words: string, load: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = (...message: unknown[]) => {
    if (!String(message[0]).includes(words)) warn.apply(console, message);
  };
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}
