import { generateKeyPairSync } from 'node:crypto';
import type { KoaContextWithOIDC, Provider as ProviderType } from 'oidc-provider';
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
 * The oidc-provider underneath: the HTTP application that the sandbox's endpoints are put in front of, and the
 * models with their expiry and single use (sessions, login requests, codes, access and refresh tokens).
 */
export function createProvider(issuer: string, store: MemoryStore, ownerIds: string[]): Provider {
  return new ProviderClass(issuer, {
    adapter: store.adapterFor,
    // oidc-provider's own rules about redirect URIs and client authentication are stricter than Zitadel's, so it
    // knows the owners of tokens by id only
    clients: ownerIds.map((client_id) => ({
      client_id,
      redirect_uris: [],
      response_types: [],
      grant_types: [],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'Ed25519',
    })),
    // it wants a key of its own; it signs nothing, see signing-keys.ts
    jwks: { keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] },
    clockTolerance: 0,
    features: { devInteractions: { enabled: false } },
    extraTokenClaims: (_ctx, token) => token.extra,
  });
}

type AccessTokenProperties = ConstructorParameters<Provider['AccessToken']>[0];

/** Stores an access token under an id of our own. */
export async function saveAccessToken(
  provider: Provider,
  properties: AccessTokenProperties,
): Promise<AccessToken> {
  const token = new provider.AccessToken(properties);
  // oidc-provider chooses the format only when it also makes up the id
  Object.assign(token, { format: 'opaque' });
  await token.save();
  return token;
}

/** The client of that id; every application and every user is one. */
export async function clientOf(provider: Provider, id: string): Promise<AccessTokenProperties['client']> {
  const client = await provider.Client.find(id);
  if (!client) throw new Error(`The client ${id} is not known`);
  return client;
}

/** Runs `load` without the one console warning that contains `words`; every other warning is printed. */
export async function withoutWarning<Result>(words: string, load: () => Promise<Result>): Promise<Result> {
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
