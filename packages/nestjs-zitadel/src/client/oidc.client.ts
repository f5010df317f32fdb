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
import { clientRefusal } from './client-refusal.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/clock-tolerance.js';
import { Discovery } from './discovery.js';
import { isBearer } from './is-bearer.js';
import { isGrant } from './is-grant.js';
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

/** With the other headers of the answer this stays below the 4 KB that nginx passes by default. */
const MAX_HINT_LENGTH = 2_048;

/** The calls to Zitadel. Every failure is one of `oidc.errors.ts`. */
@Injectable()
export class OidcClient {
  private readonly logger = new Logger('Zitadel');
  private made: { metadata: CheckedMetadata; configuration: Configuration } | undefined;

  constructor(
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
    private readonly discovery: Discovery,
    private readonly verifier: TokenVerifier,
  ) {}

  /** The claims Zitadel has for the owner of the access token now. `sub` must be the one signed in. */
  userinfo(accessToken: string, sub: string): Promise<ZitadelClaims> {
    return this.call(
      async (configuration) => (await fetchUserInfo(configuration, accessToken, sub)) as ZitadelClaims,
    );
  }

  /**
   * Renews the tokens of `sub`. Throws `RefreshRejected` when the session is over, `RefreshNotAllowed` when Zitadel refuses
   * this application, and `IdpUnavailable` when it is not known.
   * A new ID token must be as good as the first, and name the same issuer, client, user and nonce (OpenID Connect Core 12.2).
   *
   * @param idToken the one there is
   */
  async refresh(refreshToken: string, sub: string, idToken?: string): Promise<TokenSet> {
    try {
      const answer = await refreshTokenGrant(await this.configuration(), refreshToken);
      const claims = answer.claims();
      if (claims && claims.sub !== sub) throw new RefreshRejected({ cause: new Error(foreign) });
      if (claims?.nonce !== undefined && idToken && claims.nonce !== claimsIn(idToken)['nonce'])
        throw new RefreshRejected({ cause: new Error(otherSignIn) });
      return { ...tokenSetFrom(answer), accessTokenRenewedAt: Date.now() / 1000 };
    } catch (error) {
      throw refreshFailure(error);
    }
  }

  /** Makes the refresh token worthless (RFC 7009), where Zitadel can: its end-session leaves it alive. */
  revoke(refreshToken: string): Promise<void> {
    return this.call(async (configuration) => {
      if (!configuration.serverMetadata().revocation_endpoint) return;
      await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
    });
  }

  /** Whether a browser can be sent to Zitadel with this ID token in the address. */
  fitsInAddress(idToken: string): boolean {
    return idToken.length <= MAX_HINT_LENGTH;
  }

  /**
   * Where the browser signs out of Zitadel (OpenID Connect RP-Initiated Logout 2), if it can. The caller adds a `state`.
   *
   * @param idToken which session is meant; without it Zitadel's page asks
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
   * Ends the session at Zitadel without the browser (OpenID Connect RP-Initiated Logout 2, by POST). Tells whether Zitadel
   * can do that at all; throws where it did not.
   */
  endSession(idToken: string): Promise<boolean> {
    return this.call(async (configuration) => {
      const { end_session_endpoint: address } = configuration.serverMetadata();
      if (!address) return false;
      const body = new URLSearchParams(this.endSessionParams(idToken));
      const answer = await this.discovery.fetch(address, { method: 'POST', body });
      if (answer.status >= 400) throw new Error('end_session was refused', { cause: await jsonOf(answer) });
      return true;
    });
  }

  private endSessionParams(idToken?: string): Record<string, string> {
    const { clientId, postLogoutUrl } = this.options;
    return {
      client_id: clientId,
      post_logout_redirect_uri: postLogoutUrl,
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
    if (this.made?.metadata !== metadata) {
      this.made = { metadata, configuration: this.configurationFor(metadata) };
    }
    return this.made.configuration;
  }

  private configurationFor(metadata: CheckedMetadata): Configuration {
    const { clientId, clientSecret } = this.options;
    const configuration = new Configuration(
      metadata,
      clientId,
      { [clockTolerance]: CLOCK_TOLERANCE_SECONDS },
      clientSecret ? ClientSecretBasic(clientSecret) : None(),
    );
    configuration[customFetch] = (url, options) => this.answerTo(url, options as RequestInit);
    // Which addresses may be called without TLS, one place decides: Discovery.
    allowInsecureRequests(configuration);
    return configuration;
  }

  private async answerTo(url: string, init: RequestInit): Promise<Response> {
    const answer = await this.discovery.fetch(url, init);
    return isGrant(init, 'refresh_token') ? this.verified(answer) : answer;
  }

  /** When a new ID token cannot be verified, the session keeps the one it has: the refresh token is used up. */
  private async verified(answer: Response): Promise<Response> {
    const body = (await answer
      .clone()
      .json()
      .catch(() => undefined)) as TokenAnswer | undefined;
    if (!body) return answer;
    const refusal = answer.ok ? undefined : clientRefusal(body);
    if (refusal)
      throw new RefreshNotAllowed(refusal, { cause: new Error('It was refused', { cause: body }) });
    if (!answer.ok) return answer;
    if (!isBearer(body)) throw new IdpMisbehaved({ cause: new TypeError('There is no bearer token') });
    if (body.id_token === undefined) return answer;
    const { id_token: idToken, ...rest } = body;
    try {
      await this.verifier.idToken(idToken, rest.access_token);
      return answer;
    } catch (error) {
      if (error instanceof IdTokenRefused) throw error;
      this.logger.warn(`The new ID token was not verified, the old one stays\n${describeError(error)}`);
      return Response.json(rest);
    }
  }
}

const foreign = 'The new ID token is about somebody else';
const otherSignIn = 'The new ID token has the nonce of another sign-in';

interface TokenAnswer extends Record<string, unknown> {
  error?: unknown;
  access_token?: string;
  id_token?: string;
}
