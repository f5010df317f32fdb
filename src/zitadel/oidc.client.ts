import { Inject, Injectable } from '@nestjs/common';
import {
  allowInsecureRequests,
  buildEndSessionUrl,
  ClientSecretBasic,
  Configuration,
  customFetch,
  discovery,
  fetchUserInfo,
  None,
  refreshTokenGrant,
  tokenRevocation,
} from 'openid-client';
import { ENV, type Env } from '../config/env.js';
import type { ZitadelClaims } from './claims.js';
import { IdpUnavailable, RefreshRejected, refreshFailure, translated } from './oidc.errors.js';
import { tokenSetFrom, type TokenSet } from './session-token.js';

/** Longest wait for any answer of Zitadel. */
const TIMEOUT_MS = 5_000;

/** With the other headers of the answer this stays below the 4 KB that nginx passes by default. */
const MAX_HINT_LENGTH = 2_048;

/** The calls to Zitadel. Every failure is one of `oidc.errors.ts`. */
@Injectable()
export class OidcClient {
  private discovered: Promise<Configuration> | undefined;

  constructor(@Inject(ENV) private readonly env: Env) {}

  /** Zitadel's metadata, fetched at first need and kept. A failed attempt is not remembered. */
  async metadata() {
    return (await this.configuration()).serverMetadata();
  }

  /** The claims Zitadel has for the owner of the access token now. `sub` must be the one signed in. */
  userinfo(accessToken: string, sub: string): Promise<ZitadelClaims> {
    return this.call(
      async (configuration) => (await fetchUserInfo(configuration, accessToken, sub)) as ZitadelClaims,
    );
  }

  /**
   * Renews the tokens of `sub`. Throws `RefreshRejected` when the session is over and `IdpUnavailable` when it is not known.
   * A new ID token must name the same issuer, client and user as the first (OpenID Connect Core 12.2).
   */
  async refresh(refreshToken: string, sub: string): Promise<TokenSet> {
    try {
      const answer = await refreshTokenGrant(await this.configuration(), refreshToken);
      if (answer.claims() && answer.claims()?.sub !== sub) {
        throw new RefreshRejected({ cause: new Error('The new ID token is about somebody else') });
      }
      return tokenSetFrom(answer);
    } catch (error) {
      throw refreshFailure(error);
    }
  }

  /** Makes the refresh token worthless (RFC 7009): Zitadel's end-session leaves it alive. */
  revoke(refreshToken: string): Promise<void> {
    return this.call((configuration) =>
      tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' }),
    );
  }

  /**
   * Where the browser signs out of Zitadel (OpenID Connect RP-Initiated Logout 2). An ID token too long for an address is
   * left out: then the login name tells Zitadel's login which account is meant.
   */
  endSessionUrl(state: string, idToken: string | undefined, loginName: string | undefined): Promise<URL> {
    const { clientId, postLogoutUrl } = this.env.zitadel;
    const isShort = idToken !== undefined && idToken.length <= MAX_HINT_LENGTH;
    return this.call((configuration) =>
      Promise.resolve(
        buildEndSessionUrl(configuration, {
          client_id: clientId,
          post_logout_redirect_uri: postLogoutUrl,
          state,
          ...(isShort ? { id_token_hint: idToken } : {}),
          ...(!isShort && loginName ? { logout_hint: loginName } : {}),
        }),
      ),
    );
  }

  /** `fetch` as every call to Zitadel uses it: bounded in time to the last byte, no redirects, 5xx as `IdpUnavailable`. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    try {
      const answer = await fetch(input, {
        ...init,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body = await answer.arrayBuffer();
      if (answer.status >= 500) throw new Error(`Zitadel answered ${answer.status}`);
      return new Response(body.byteLength > 0 ? body : null, {
        status: answer.status,
        headers: answer.headers,
      });
    } catch (cause) {
      throw new IdpUnavailable({ cause });
    }
  };

  private async call<T>(work: (configuration: Configuration) => Promise<T>): Promise<T> {
    try {
      return await work(await this.configuration());
    } catch (error) {
      throw translated(error);
    }
  }

  private configuration(): Promise<Configuration> {
    this.discovered ??= this.discover().catch((error: unknown) => {
      this.discovered = undefined;
      throw translated(error);
    });
    return this.discovered;
  }

  private discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.env.zitadel;
    return discovery(
      new URL(issuer),
      clientId,
      undefined,
      clientSecret ? ClientSecretBasic(clientSecret) : None(),
      {
        [customFetch]: (url, options) => this.fetch(url, options as RequestInit),
        // The configuration accepts http issuers only on loopback or by flag.
        execute: issuer.startsWith('http:') ? [allowInsecureRequests] : [],
      },
    );
  }
}
