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
import { signingAlgorithms } from './signing-algorithms.js';
import { TokenFault } from './token-fault.js';

/** Zitadel allows its keys to be cached for five minutes. */
const MAX_AGE_MS = 5 * 60_000;

/** How long keys are not fetched again for tokens with an unknown key. */
const COOLDOWN_MS = 30_000;

type Keys = ReturnType<typeof createRemoteJWKSet>;

/** Verifies the tokens Zitadel signs, with the keys and algorithms in its metadata. */
@Injectable()
export class TokenVerifier {
  private keys: { uri: string; signIn: Keys; logout: Keys } | undefined;
  private reloadedAt = -Infinity;

  /** of ID tokens since the start */
  private readonly seenAlgorithms = new Set<string>();

  constructor(
    private readonly discovery: Discovery,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /**
   * Verifies an ID token (OpenID Connect Core 3.1.3.7), but for the nonce, which Auth.js compares.
   *
   * @param accessToken of the same answer
   * @throws `IdTokenRefused`; `IdpUnavailable` or `IdpMisconfigured` where there are no keys
   */
  async idToken(token: string, accessToken: string | undefined): Promise<IdTokenClaims> {
    const rules = { ...idTokenRules, algorithms: await this.algorithms() };
    try {
      const verified = await this.verifyWithNewKeys(token, (await this.keySets()).signIn, rules);
      const claims = checkIdToken(verified, this.options.clientId, accessToken);
      this.seenAlgorithms.add(verified.protectedHeader.alg);
      return claims;
    } catch (cause) {
      throw isTokenFault(cause) ? new IdTokenRefused({ cause }) : providerFault(cause);
    }
  }

  /**
   * Verifies a logout token (OpenID Connect Back-Channel Logout 2.6). A provider signs logout tokens as it signs ID tokens: once one
   * of those was seen, another algorithm is refused.
   *
   * @throws `LogoutTokenRefused`; `IdpUnavailable` or `IdpMisconfigured` where there are no keys, or where the key is unknown and
   *   keys are not fetched again yet: Zitadel then sends the token again
   */
  async logoutToken(token: string): Promise<LogoutTokenClaims> {
    const algorithms = this.seenAlgorithms.size > 0 ? [...this.seenAlgorithms] : await this.algorithms();
    const { logout } = await this.keySets();
    const { coolingDown: isCoolingDown } = logout;
    try {
      return checkLogoutToken(await this.verify(token, logout, { ...logoutTokenRules, algorithms }));
    } catch (cause) {
      if (isCoolingDown && cause instanceof errors.JWKSNoMatchingKey) throw new IdpUnavailable({ cause });
      throw isTokenFault(cause) ? new LogoutTokenRefused({ cause }) : providerFault(cause);
    }
  }

  /** A key that Zitadel began to use after the last fetch must not fail a sign-in: the keys are fetched once more, then a pause begins. */
  private async verifyWithNewKeys(token: string, keys: Keys, rules: JWTVerifyOptions) {
    try {
      return await this.verify(token, keys, rules);
    } catch (error) {
      const isPaused = Date.now() - this.reloadedAt < COOLDOWN_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey) || isPaused) throw error;
      this.reloadedAt = Date.now();
      await keys.reload();
      const verified = await this.verify(token, keys, rules);
      this.reloadedAt = -Infinity;
      return verified;
    }
  }

  private verify(token: string, keys: Keys, rules: JWTVerifyOptions): Promise<JWTVerifyResult> {
    const { issuer, clientId: audience } = this.options;
    const options = { ...rules, issuer, audience };
    return jwtVerify(token, keys, options).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Without a `kid` every key that fits the algorithm is tried.
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

  /** Logout tokens have a set of their own, so that bad ones do not delay a sign-in after a key rotation. */
  private async keySets() {
    const { jwks_uri: uri } = await this.discovery.metadata();
    if (this.keys?.uri === uri) return this.keys;
    const keySet = () =>
      createRemoteJWKSet(new URL(uri), {
        cacheMaxAge: MAX_AGE_MS,
        cooldownDuration: COOLDOWN_MS,
        [customFetch]: (url) => this.fetchKeys(url),
      });
    this.keys = { uri, signIn: keySet(), logout: keySet() };
    return this.keys;
  }

  private async fetchKeys(url: string): Promise<Response> {
    const answer = await this.discovery.fetch(url, { headers: { accept: 'application/json' } });
    const keys = (await jsonOf(answer.clone()))?.['keys'];
    if (answer.status === 200 && Array.isArray(keys)) return answer;
    const cause = new TypeError(`Zitadel has no keys: it answered ${answer.status}`);
    throw new IdpMisconfigured({ cause });
  }
}

/** Errors of jose about the token itself, not about the keys. */
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
