import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  allowInsecureRequests,
  buildEndSessionUrl,
  ClientSecretBasic,
  clockTolerance,
  Configuration,
  customFetch,
  fetchUserInfo,
  None,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import type { CheckedMetadata } from './checked-metadata.js';
import { claimsIn, type ZitadelClaims } from '../claims/claims.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import { Discovery } from './discovery.js';
import { clientRefusal, isBearer, isGrant } from './token-endpoint.js';
import { jsonOf } from '../http/json-of.js';
import {
  IdpMisbehaved,
  IdTokenRefused,
  RefreshNotAllowed,
  RefreshRejected,
  refreshFailure,
  translated,
} from './oidc.errors.js';
import { tokenSetFrom, type TokenSet } from '../session/session-token.js';
import { TokenVerifier } from '../tokens/token-verifier.js';

/** Together with the other response headers, the redirect stays below the 4 KB that nginx forwards by default. */
const MAX_HINT_LENGTH = 2_048;

/** Requests to the endpoints of Zitadel. Every method throws only errors of `oidc.errors.ts`. */
@Injectable()
export class OidcClient {
  private readonly logger = new Logger('Zitadel');
  private cached: { metadata: CheckedMetadata; configuration: Configuration } | undefined;

  constructor(
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
    private readonly discovery: Discovery,
    private readonly verifier: TokenVerifier,
  ) {}

  /** Returns the userinfo response for an access token, whose `sub` has to be `sub` (OpenID Connect Core 5.3.2). */
  userinfo(accessToken: string, sub: string): Promise<ZitadelClaims> {
    return this.call(
      async (configuration) => (await fetchUserInfo(configuration, accessToken, sub)) as ZitadelClaims,
    );
  }

  /**
   * Refreshes the tokens of `sub`. A new ID token is validated as the first, and has to have the same `iss`, `aud`, `sub` and `nonce`
   * (OpenID Connect Core 12.2).
   *
   * @param idToken the current one
   * @throws `RefreshRejected` when the session has to end; `RefreshNotAllowed` when Zitadel refuses this application; `IdpUnavailable`
   *   when the result is unknown
   */
  async refresh(refreshToken: string, sub: string, idToken?: string): Promise<TokenSet> {
    try {
      const answer = await refreshTokenGrant(await this.configuration(), refreshToken);
      const claims = answer.claims();
      if (claims && claims.sub !== sub) throw new RefreshRejected({ cause: new Error(otherUser) });
      if (claims?.nonce !== undefined && idToken && claims.nonce !== claimsIn(idToken)['nonce'])
        throw new RefreshRejected({ cause: new Error(otherSignIn) });
      return { ...tokenSetFrom(answer), accessTokenRenewedAt: Date.now() / 1000 };
    } catch (error) {
      throw refreshFailure(error);
    }
  }

  /** Revokes a refresh token (RFC 7009) where Zitadel has a revocation endpoint. Its end-session endpoint does not revoke it. */
  revoke(refreshToken: string): Promise<void> {
    return this.call(async (configuration) => {
      if (!configuration.serverMetadata().revocation_endpoint) return;
      await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
    });
  }

  /** Whether an ID token is short enough for `id_token_hint` in a URL. */
  fitsInAddress(idToken: string): boolean {
    return idToken.length <= MAX_HINT_LENGTH;
  }

  /**
   * Returns the end-session URL (OpenID Connect RP-Initiated Logout 2), or `undefined` where Zitadel has none. The caller adds `state`.
   *
   * @param idToken identifies the session; without it a page of Zitadel asks the user
   */
  endSessionUrl(idToken?: string): Promise<URL | undefined> {
    return this.call((configuration) =>
      Promise.resolve(
        configuration.serverMetadata().end_session_endpoint
          ? buildEndSessionUrl(configuration, this.endSessionParams(idToken))
          : undefined,
      ),
    );
  }

  /**
   * Ends the session at Zitadel with a POST of this server (OpenID Connect RP-Initiated Logout 2). Resolves to `false` where Zitadel has no
   * end-session endpoint.
   *
   * @throws `IdpMisbehaved` when Zitadel refuses
   */
  endSession(idToken: string): Promise<boolean> {
    return this.call(async (configuration) => {
      const { end_session_endpoint: address } = configuration.serverMetadata();
      if (!address) return false;
      const body = new URLSearchParams(this.endSessionParams(idToken));
      const answer = await this.discovery.fetch(address, { method: 'POST', body });
      if (answer.status >= 400)
        throw new Error('The end-session request was refused', { cause: await jsonOf(answer) });
      return true;
    });
  }

  private endSessionParams(idToken?: string): Record<string, string> {
    const { clientId, postLogoutRedirectUri } = this.options;
    return {
      client_id: clientId,
      post_logout_redirect_uri: postLogoutRedirectUri,
      ...(idToken === undefined ? {} : { id_token_hint: idToken }),
    };
  }

  private async call<T>(work: (configuration: Configuration) => Promise<T>): Promise<T> {
    try {
      return await work(await this.configuration());
    } catch (error) {
      throw translated(error);
    }
  }

  private async configuration(): Promise<Configuration> {
    const metadata = await this.discovery.metadata();
    if (this.cached?.metadata !== metadata) {
      this.cached = { metadata, configuration: this.configurationFor(metadata) };
    }
    return this.cached.configuration;
  }

  private configurationFor(metadata: CheckedMetadata): Configuration {
    const { clientId, clientSecret } = this.options;
    const configuration = new Configuration(
      metadata,
      clientId,
      { [clockTolerance]: CLOCK_TOLERANCE_SECONDS },
      clientSecret ? ClientSecretBasic(clientSecret) : None(),
    );
    configuration[customFetch] = (url, options) => this.fetch(url, options as RequestInit);
    // Discovery decides which addresses may be used without TLS.
    allowInsecureRequests(configuration);
    return configuration;
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const answer = await this.discovery.fetch(url, init);
    return isGrant(init, 'refresh_token') ? this.verifyTokens(answer) : answer;
  }

  /** Drops a new ID token whose keys cannot be fetched: the refresh token is already used, so the other tokens must not be lost. */
  private async verifyTokens(answer: Response): Promise<Response> {
    const body = (await answer
      .clone()
      .json()
      .catch(() => undefined)) as TokenAnswer | undefined;
    if (!body) return answer;
    const refusal = answer.ok ? undefined : clientRefusal(body);
    if (refusal)
      throw new RefreshNotAllowed(refusal, { cause: new Error('The refresh was refused', { cause: body }) });
    if (!answer.ok) return answer;
    if (!isBearer(body))
      throw new IdpMisbehaved({ cause: new TypeError('The token response has no bearer token') });
    if (body.id_token === undefined) return answer;
    const { id_token: idToken, ...rest } = body;
    try {
      await this.verifier.idToken(idToken, rest.access_token);
      return answer;
    } catch (error) {
      if (error instanceof IdTokenRefused) throw error;
      this.logger.warn(
        `Could not verify the new ID token: the session keeps the old one\n${describeError(error)}`,
      );
      return Response.json(rest);
    }
  }
}

const otherUser = 'The new ID token has the sub of another user';
const otherSignIn = 'The new ID token has the nonce of another sign-in';

interface TokenAnswer extends Record<string, unknown> {
  error?: unknown;
  access_token?: string;
  id_token?: string;
}
