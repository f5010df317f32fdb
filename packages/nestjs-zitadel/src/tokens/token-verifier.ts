import { Inject, Injectable } from '@nestjs/common';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type CryptoKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';
import { Discovery } from '../client/discovery.js';
import {
  IdpMisconfigured,
  IdpUnavailable,
  IdTokenRefused,
  LogoutTokenRefused,
} from '../client/oidc.errors.js';
import { jsonOf } from '../http/json-of.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { checkIdToken, idTokenRules, type IdTokenClaims } from './id-token.js';
import { checkLogoutToken, logoutTokenRules, type LogoutTokenClaims } from './logout-token.js';
import { TokenFault } from './token-checks.js';

/** Zitadel allows its keys to be cached for five minutes. */
const MAX_AGE_MS = 5 * 60_000;

/** Pause between two fetches of the keys for tokens with an unknown `kid`. */
const COOLDOWN_MS = 30_000;

/** The pause after a fetch that failed. */
const RETRY_AFTER_MS = 2_000;

type Keys = ReturnType<typeof createRemoteJWKSet>;

/** Verifies tokens that Zitadel has signed, with the keys and algorithms of its metadata. */
@Injectable()
export class TokenVerifier {
  private keySets: { uri: string; signIn: Keys; logout: Keys } | undefined;
  private pausedUntil = -Infinity;
  private reloadFailure: Error | undefined;

  /** of ID tokens since the start of the program */
  private readonly seenAlgorithms = new Set<string>();

  constructor(
    private readonly discovery: Discovery,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /**
   * Verifies an ID token (OpenID Connect Core 3.1.3.7), except for the nonce, which Auth.js compares.
   *
   * @param accessToken of the same token response
   * @throws `IdTokenRefused`; `IdpUnavailable` or `IdpMisconfigured` when the keys cannot be fetched
   */
  async idToken(token: string, accessToken: string | undefined): Promise<IdTokenClaims> {
    const rules = { ...idTokenRules, algorithms: await this.algorithms() };
    try {
      const verified = await this.verifyWithNewKeys(token, (await this.currentKeySets()).signIn, rules);
      const claims = checkIdToken(verified, this.options.clientId, accessToken);
      this.seenAlgorithms.add(verified.protectedHeader.alg);
      return claims;
    } catch (cause) {
      throw isTokenFault(cause) ? new IdTokenRefused({ cause }) : providerFault(cause);
    }
  }

  /**
   * Verifies a logout token (OpenID Connect Back-Channel Logout 2.6). A provider uses the same algorithm for logout tokens and ID tokens:
   * after the first ID token, only its algorithm is accepted.
   *
   * @throws `LogoutTokenRefused`; `IdpUnavailable` or `IdpMisconfigured` when the keys cannot be fetched, or when the `kid` is unknown during
   *   the pause between two fetches: Zitadel then sends the token again
   */
  async logoutToken(token: string): Promise<LogoutTokenClaims> {
    const algorithms = this.seenAlgorithms.size > 0 ? [...this.seenAlgorithms] : await this.algorithms();
    const { logout } = await this.currentKeySets();
    const { coolingDown: isCoolingDown } = logout;
    try {
      return checkLogoutToken(await this.verify(token, logout, { ...logoutTokenRules, algorithms }));
    } catch (cause) {
      if (isCoolingDown && cause instanceof errors.JWKSNoMatchingKey) throw new IdpUnavailable({ cause });
      throw isTokenFault(cause) ? new LogoutTokenRefused({ cause }) : providerFault(cause);
    }
  }

  /** Fetches the keys once more for an unknown `kid`, so that a key rotation at Zitadel does not fail a sign-in. */
  private async verifyWithNewKeys(token: string, keys: Keys, rules: JWTVerifyOptions) {
    try {
      return await this.verify(token, keys, rules);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // After a fetch that failed, an unknown `kid` says nothing about the token.
      if (Date.now() < this.pausedUntil) throw this.reloadFailure ?? error;
      this.pausedUntil = Date.now() + COOLDOWN_MS;
      this.reloadFailure = await keys.reload().then(() => undefined, providerFault);
      if (this.reloadFailure) {
        this.pausedUntil = Date.now() + RETRY_AFTER_MS;
        throw this.reloadFailure;
      }
      const verified = await this.verify(token, keys, rules);
      this.pausedUntil = -Infinity;
      return verified;
    }
  }

  private verify(token: string, keys: Keys, rules: JWTVerifyOptions): Promise<JWTVerifyResult> {
    const { issuer, clientId: audience } = this.options;
    const options = { ...rules, issuer, audience };
    return jwtVerify(token, keys, options).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Without a `kid`, try every key of that algorithm.
      for await (const key of error as AsyncIterable<CryptoKey>) {
        const verified = await jwtVerify(token, key, options).catch((failure: unknown) => {
          if (failure instanceof errors.JWSSignatureVerificationFailed) return undefined;
          throw failure;
        });
        if (verified) return verified;
      }
      throw new errors.JWSSignatureVerificationFailed();
    });
  }

  private async algorithms(): Promise<string[]> {
    const metadata = await this.discovery.metadata();
    return signingAlgorithms(metadata.id_token_signing_alg_values_supported);
  }

  /** Logout tokens have their own key set: an invalid one must not start the pause between two fetches for sign-ins. */
  private async currentKeySets() {
    const { jwks_uri: uri } = await this.discovery.metadata();
    if (this.keySets?.uri === uri) return this.keySets;
    const keySet = () =>
      createRemoteJWKSet(new URL(uri), {
        cacheMaxAge: MAX_AGE_MS,
        cooldownDuration: COOLDOWN_MS,
        [customFetch]: (url) => this.fetchKeys(url),
      });
    this.keySets = { uri, signIn: keySet(), logout: keySet() };
    return this.keySets;
  }

  private async fetchKeys(url: string): Promise<Response> {
    const answer = await this.discovery.fetch(url, { headers: { accept: 'application/json' } });
    const keys = (await jsonOf(answer.clone()))?.['keys'];
    if (answer.status === 200 && Array.isArray(keys)) return answer;
    const cause = new TypeError(
      `Zitadel answered ${answer.status} without a key set to the request for its keys`,
    );
    throw new IdpMisconfigured({ cause });
  }
}

/** Errors of jose about the token, as opposed to the keys. */
const tokenFaults = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
];

const isTokenFault = (error: unknown) =>
  error instanceof TokenFault || tokenFaults.some((kind) => error instanceof kind);

const providerFault = (cause: unknown) =>
  cause instanceof IdpUnavailable || cause instanceof IdpMisconfigured
    ? cause
    : new IdpMisconfigured({ cause });

/** Algorithms with a private key: no `none`, and no HMAC, whose secret would be a public key (RFC 8725 3.1). */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** The default of OpenID Connect Core 15.1. */
const defaultAlgorithms = ['RS256'];

/** Returns the asymmetric algorithms of `id_token_signing_alg_values_supported`. */
export function signingAlgorithms(listed: unknown): string[] {
  const supported: unknown[] = Array.isArray(listed) ? listed : defaultAlgorithms;
  return asymmetric.filter((algorithm) => supported.includes(algorithm));
}
