import { customFetch } from '@auth/core';
import { createRemoteJWKSet, customFetch as joseFetch, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { ProviderUnavailable, SessionEnded } from '../auth.errors.js';
import type { IAuthModuleOptions } from '../auth.options.js';
import { reasonForCode } from '../failures/refusal-for.js';
import { mergedProvider } from '../provider-options.js';

const TIMEOUT_MS = 10_000;
const CLOCK_TOLERANCE_SECONDS = 60;
const METADATA_TTL_MS = 60 * 60_000;

/** The members of an OpenID provider of Auth.js that a refresh needs. */
interface OidcProvider {
  id: string;
  issuer: string;
  clientId: string;
  clientSecret?: string;
  client?: Partial<oauth.Client>;
  token?: string | { url?: string | URL; clientPrivateKey?: PrivateKey };
  [customFetch]?: typeof fetch;
}

type PrivateKey = Parameters<typeof oauth.PrivateKeyJwt>[0];
type Keys = ReturnType<typeof createRemoteJWKSet>;

interface Metadata {
  server: oauth.AuthorizationServer;
  keys: Keys;
  until: number;
}

/** The token endpoint of an OpenID provider, with the client of its configuration. */
export class OidcTokenEndpoint {
  private metadata: Promise<Metadata> | undefined;

  private constructor(private readonly provider: OidcProvider) {}

  /** `undefined` for a provider of another kind. */
  static of(provider: IAuthModuleOptions['providers'][number]): OidcTokenEndpoint | undefined {
    const merged = mergedProvider(provider) as Partial<OidcProvider> & { type?: string };
    const isOidc = merged.type === 'oidc' && merged.issuer !== undefined && merged.clientId !== undefined;
    return isOidc ? new OidcTokenEndpoint(merged as OidcProvider) : undefined;
  }

  get providerId(): string {
    return this.provider.id;
  }

  /**
   * Sends a refresh token (RFC 6749 6), and verifies the ID token of the answer, if there is one (OpenID Connect Core 12.2).
   *
   * @param subject of the ID token of the sign-in, whose issuer Auth.js has checked
   * @throws `SessionEnded` when the refresh token is refused, or the ID token is not valid, or another user's;
   *   `ProviderUnavailable` for every other failure, such as another issuer: then the session may go on
   */
  async refresh(
    refreshToken: string,
    { sub, iss }: { sub: string; iss?: string | undefined },
  ): Promise<oauth.TokenEndpointResponse> {
    try {
      // The keys before the tokens: an answer that cannot be verified would be lost, and its refresh token with it.
      const { server, keys } = await this.currentMetadata();
      if (keys.jwks() === undefined) await keys.reload();
      const issuer = iss ?? server.issuer;
      const client: oauth.Client = {
        client_id: this.provider.clientId,
        ...this.provider.client,
        [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
      };
      const request = oauth.refreshTokenGrantRequest(
        server,
        client,
        this.clientAuthentication(server),
        refreshToken,
        this.requestOptions,
      );
      const answer = await oauth.processRefreshTokenResponse({ ...server, issuer }, client, await request);
      if (answer.id_token !== undefined) await this.verify(answer.id_token, issuer, keys, sub);
      return answer;
    } catch (cause) {
      throw isRefusal(cause) ? new SessionEnded('refresh_rejected', { cause }) : unavailable(cause);
    }
  }

  private async verify(idToken: string, issuer: string, keys: Keys, sub: string) {
    const { clientId: audience, clientSecret } = this.provider;
    const isSymmetric = decodeProtectedHeader(idToken).alg?.startsWith('HS') === true;
    const rules = { issuer, audience, clockTolerance: CLOCK_TOLERANCE_SECONDS };
    const { payload } = isSymmetric
      ? await jwtVerify(idToken, secretKey(clientSecret), rules)
      : await jwtVerify(idToken, keys, rules);
    if (payload.sub !== sub) throw new TokenRefused('The ID token of the refresh is that of another user');
  }

  private currentMetadata(): Promise<Metadata> {
    const pending = this.metadata?.then((known) => (known.until > Date.now() ? known : this.fetchMetadata()));
    const metadata = pending ?? this.fetchMetadata();
    this.metadata = metadata;
    metadata.catch(() => (this.metadata = undefined));
    return metadata;
  }

  private async fetchMetadata(): Promise<Metadata> {
    const issuer = new URL(this.provider.issuer);
    const answer = await oauth.discoveryRequest(issuer, this.requestOptions);
    const found = await oauth.processDiscoveryResponse(issuer, answer);
    const { token } = this.provider;
    const url = typeof token === 'string' ? token : token?.url;
    const server = url === undefined ? found : { ...found, token_endpoint: String(url) };
    const ownFetch = this.provider[customFetch];
    // Metadata without `jwks_uri`, which OpenID Connect Discovery 3 requires, is a fault of the provider.
    const keys = createRemoteJWKSet(new URL(String(found.jwks_uri)), {
      timeoutDuration: TIMEOUT_MS,
      ...(ownFetch ? { [joseFetch]: ownFetch } : {}),
    });
    return { server, keys, until: Date.now() + METADATA_TTL_MS };
  }

  private get requestOptions() {
    const ownFetch = this.provider[customFetch];
    return {
      signal: () => AbortSignal.timeout(TIMEOUT_MS),
      // As at sign-in: the configuration of the program names the issuer.
      [oauth.allowInsecureRequests]: new URL(this.provider.issuer).protocol === 'http:',
      ...(ownFetch ? { [oauth.customFetch]: ownFetch as never } : {}),
    };
  }

  /** As Auth.js authenticates the client at sign-in. */
  private clientAuthentication({
    issuer,
    token_endpoint: endpoint,
  }: oauth.AuthorizationServer): oauth.ClientAuth {
    const { clientId, clientSecret = '', client, token } = this.provider;
    const method = client?.['token_endpoint_auth_method'] ?? 'client_secret_basic';
    if (method === 'none') return oauth.None();
    if (method === 'client_secret_post') return oauth.ClientSecretPost(clientSecret);
    if (method === 'client_secret_jwt') return oauth.ClientSecretJwt(clientSecret);
    if (method !== 'private_key_jwt')
      return (_server, _client, _body, headers) =>
        headers.set('authorization', basic(clientId, clientSecret));
    // The sign-in has used this key.
    const { clientPrivateKey } = token as { clientPrivateKey: PrivateKey };
    return oauth.PrivateKeyJwt(clientPrivateKey, {
      [oauth.modifyAssertion]: (_header, payload) => {
        payload['aud'] = [issuer, String(endpoint)];
      },
    });
  }
}

class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/** OpenID Connect Core 10.1: the client secret is the key of a symmetric signature. */
function secretKey(clientSecret: string | undefined): Uint8Array {
  if (!clientSecret)
    throw new TokenRefused('The ID token of the refresh has no signature by a published key');
  return new TextEncoder().encode(clientSecret);
}

const basic = (clientId: string, clientSecret: string) =>
  `Basic ${Buffer.from([clientId, clientSecret].map(formEncoded).join(':')).toString('base64')}`;

const formEncoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');

/** Errors of jose about a token, as opposed to its keys. */
const tokenErrors = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
];

/** RFC 6749 5.2, and what Zitadel answers in its place. */
const refusals = ['invalid_grant', 'invalid_request'];

/** Whether the provider refused the refresh token, or its ID token is refused here. */
const isRefusal = (error: unknown): boolean =>
  error instanceof TokenRefused ||
  (error instanceof oauth.ResponseBodyError && refusals.includes(error.error)) ||
  tokenErrors.some((kind) => error instanceof kind) ||
  (error instanceof Error && reasonForCode(error) === 'id_token_invalid' && !isAboutIssuer(error));

const isAboutIssuer = ({ cause }: Error) => (cause as { claim?: unknown } | undefined)?.claim === 'iss';

function unavailable(cause: unknown): ProviderUnavailable {
  const { response, cause: inner } = cause as { response?: unknown; cause?: unknown };
  const answer = [response, inner].find((value) => value instanceof Response);
  const seconds = Number(answer?.headers.get('retry-after') ?? undefined);
  return new ProviderUnavailable({ cause, retryAfterSeconds: seconds > 0 ? seconds : undefined });
}
