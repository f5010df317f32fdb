import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { errors, type JSONWebKeySet } from 'jose';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { Discovery } from '../client/discovery.js';
import { verifiedIdToken, type IdTokenClaims } from './id-token.js';
import { KeyNotLookedFor, KeySet } from './key-set.js';
import { verifiedLogoutToken, type LogoutTokenClaims } from './logout-token.js';
import {
  IdpMisconfigured,
  IdpUnavailable,
  IdTokenRefused,
  LogoutTokenRefused,
} from '../client/oidc.errors.js';
import { signingAlgorithms } from './signing-algorithms.js';

/** Verifies the tokens Zitadel signs, with the keys and algorithms its metadata name. */
@Injectable()
export class TokenVerifier {
  private readonly logger = new Logger('Keys');
  private readonly keys = new KeySet(
    () => this.fetchKeys(),
    (error) => this.logger.warn(`The keys were not renewed, the old ones stay\n${describeError(error)}`),
  );

  /** with which ID tokens were signed since the start */
  private readonly seenAlgorithms = new Set<string>();

  constructor(
    private readonly discovery: Discovery,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /**
   * Throws `IdTokenRefused`, or `IdpUnavailable` when the keys cannot be had.
   *
   * @param accessToken of the same answer
   */
  async idToken(token: string, accessToken: string | undefined): Promise<IdTokenClaims> {
    const { issuer, clientId } = this.options;
    const algorithms = await this.algorithms();
    try {
      const expected = { issuer, clientId, algorithms, accessToken };
      const { claims, algorithm } = await verifiedIdToken(token, this.keys, expected);
      this.seenAlgorithms.add(algorithm);
      return claims;
    } catch (cause) {
      throw isVerdict(cause) ? new IdTokenRefused({ cause }) : cause;
    }
  }

  /**
   * Throws `LogoutTokenRefused`, or `IdpUnavailable` when the keys cannot be had, or not yet: nobody may lose a log-out
   * because somebody else has posted bad tokens just before. A provider signs logout tokens as it
   * signs ID tokens (OpenID Connect Back-Channel Logout 2.6): once one of those was seen, another algorithm is refused.
   */
  async logoutToken(token: string): Promise<LogoutTokenClaims> {
    const { issuer, clientId } = this.options;
    const algorithms = this.seenAlgorithms.size > 0 ? [...this.seenAlgorithms] : await this.algorithms();
    try {
      return await verifiedLogoutToken(token, this.keys, { issuer, clientId, algorithms });
    } catch (cause) {
      if (cause instanceof KeyNotLookedFor) throw new IdpUnavailable({ cause });
      throw isVerdict(cause) ? new LogoutTokenRefused({ cause }) : cause;
    }
  }

  private async algorithms(): Promise<string[]> {
    const metadata = await this.discovery.metadata();
    return signingAlgorithms(metadata.id_token_signing_alg_values_supported);
  }

  private async fetchKeys(): Promise<JSONWebKeySet> {
    const { jwks_uri: address } = await this.discovery.metadata();
    const answer = await this.discovery.fetch(address, { headers: { accept: 'application/json' } });
    const keys = (await answer.json().catch(() => undefined)) as JSONWebKeySet | undefined;
    if (answer.status !== 200 || !Array.isArray(keys?.keys)) {
      throw new IdpMisconfigured({
        cause: new TypeError(`Zitadel has no keys: it answered ${answer.status}`),
      });
    }
    return keys;
  }
}

/** What is wrong with the token, as opposed to what kept it from being verified. */
const isVerdict = (error: unknown) => error instanceof errors.JOSEError || error instanceof TypeError;
