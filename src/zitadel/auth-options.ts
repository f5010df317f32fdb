import { hkdfSync } from 'node:crypto';
import { customFetch } from '@auth/core';
import Zitadel from '@auth/core/providers/zitadel';
import type { IAuthModuleOptions, SessionToken } from '@mridang/nestjs-auth';
import type { Env } from '../config/env.js';
import { scopes, userFrom, type ZitadelClaims } from './claims.js';
import type { OidcClient } from './oidc.client.js';
import { tokenSetFrom } from './session-token.js';
import type { TokenRefresher } from './token-refresher.js';

/** The options of `AuthModule`: Zitadel as the provider, and what goes into a session. */
export function authOptions(env: Env, oidc: OidcClient, refresher: TokenRefresher): IAuthModuleOptions {
  const { clientId, clientSecret, issuer, callbackUrl, postLoginPath } = env.zitadel;
  return {
    origin: env.origin,
    secret: env.session.secrets.map((secret) => saltedSecret(secret, env.session.salt)),
    // One cookie: nginx passes 4 KB of response headers by default, and answers 502 to more.
    session: {
      maxAge: env.session.durationSeconds,
      maxLifetime: env.session.maxDurationSeconds,
      maxCookies: 1,
    },
    refresh: refresher,
    pages: { signIn: '/auth/login', error: '/auth/error' },
    defaultCallbackUrl: postLoginPath,
    providers: [
      {
        ...Zitadel({
          issuer,
          clientId,
          ...(clientSecret ? { clientSecret } : {}),
          client: { token_endpoint_auth_method: clientSecret ? 'client_secret_basic' : 'none' },
          checks: ['pkce', 'state', 'nonce'],
          authorization: { params: { scope: scopes.join(' '), redirect_uri: callbackUrl } },
          profile: ({ sub }: ZitadelClaims) => ({ id: sub }),
          [customFetch]: fetchForAuthJs(oidc, issuer, callbackUrl),
        }),
        // Zitadel's ID tokens carry no profile unless the application is set up so; userinfo always does.
        idToken: false,
      },
    ],
    callbacks: {
      jwt: ({ token, account, profile }) => {
        if (!account) return token;
        return {
          sub: account.providerAccountId,
          user: userFrom(profile as ZitadelClaims),
          ...tokenSetFrom(account),
        } satisfies SessionToken;
      },
      session: ({ session, token: { user } }) => {
        if (!user) throw new Error('The session holds no user');
        return { user, expires: session.expires };
      },
    },
  };
}

/**
 * Auth.js reads the discovery document at every sign-in and builds the redirect URI from its own path:
 * the document comes from memory, and the code grant repeats the configured redirect URI (RFC 6749 4.1.3).
 */
function fetchForAuthJs(oidc: OidcClient, issuer: string, callbackUrl: string): typeof fetch {
  return async (input, init) => {
    if (addressOf(input) === `${issuer}/.well-known/openid-configuration`)
      return Response.json(await oidc.metadata());
    if (init?.body instanceof URLSearchParams && init.body.get('grant_type') === 'authorization_code') {
      init.body.set('redirect_uri', callbackUrl);
    }
    return oidc.fetch(input, init);
  };
}

const addressOf = (input: Parameters<typeof fetch>[0]) =>
  input instanceof Request ? input.url : input.toString();

const saltedSecret = (secret: string, salt: string) =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'session secret', 32)).toString('base64url');
