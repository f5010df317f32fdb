import { hkdfSync } from 'node:crypto';
import { customFetch } from '@auth/core';
import Zitadel from '@auth/core/providers/zitadel';
import type { IAuthModuleOptions, SessionEnd, SessionToken } from '@mridang/nestjs-auth';
import type { Response } from 'express';
import { clockTolerance } from 'openid-client';
import type { Env } from '../config/env.js';
import type { Journal } from '../metrics/journal.js';
import { wantedLanguage } from '../texts/language.js';
import { authorizationParams } from './authorization-params.js';
import type { ClaimsReload } from './claims-reload.js';
import { scopesFor, sidIn, userFrom, type ZitadelClaims } from './claims.js';
import { CLOCK_TOLERANCE_SECONDS } from './clock-tolerance.js';
import type { Discovery } from './discovery.js';
import type { EndedSessions } from './ended-sessions.js';
import { fetchForAuthJs } from './fetch-for-auth-js.js';
import type { Resumption } from './resumption.js';
import type { SignInRules } from './sign-in-rules.js';
import { tokenSetFrom } from './session-token.js';
import type { LoggedOutCookie } from './logged-out-cookie.js';
import type { TokenRefresher } from './token-refresher.js';
import type { TokenRevocation } from './token-revocation.js';
import type { TokenVerifier } from './token-verifier.js';

/** The options of `AuthModule`: Zitadel as the provider, and what goes into a session. */
export function authOptions(
  env: Env,
  discovery: Discovery,
  verifier: TokenVerifier,
  refresher: TokenRefresher,
  reload: ClaimsReload,
  endedSessions: EndedSessions,
  revocation: TokenRevocation,
  loggedOut: LoggedOutCookie,
  rules: SignInRules,
  resumption: Resumption,
  journal: Journal,
): IAuthModuleOptions {
  const { clientId, clientSecret, issuer, callbackUrl, postLoginPath } = env.zitadel;
  const scopes = scopesFor(env);
  return {
    origin: env.origin,
    mountPath: env.basePath,
    secret: env.session.secrets.map((secret) => saltedSecret(secret, env.session.salt)),
    // One cookie: nginx passes 4 KB of response headers by default, and answers 502 to more.
    session: {
      maxAge: env.session.durationSeconds,
      maxLifetime: env.session.maxDurationSeconds,
      maxCookies: 1,
    },
    refresh: refresher,
    reload,
    revocations: endedSessions,
    discard: (token) => void revocation.revoke(token),
    resume: (ended, token, request) => resumption.paramsFor(ended, token, request),
    signInPolicy: rules,
    observer: {
      signedIn: ({ providerAccountId, id_token: idToken }, request, response) => {
        loggedOut.clear(request, response as Response);
        journal.signedIn({ sub: providerAccountId, sid: sidIn(idToken) }, request);
      },
      signInFailed: (failure, request) => journal.signInFailed(failure, request),
      sessionEnded: (token, ended, request) => journal.sessionEnded(token, ended, request),
    },
    authorizationParams: (given, request) => {
      const language = wantedLanguage(request.headers['accept-language']);
      return {
        ...(language ? { ui_locales: language } : {}),
        ...promptAfter({ isLoggedOut: loggedOut.isIn(request), reason: given['reason'] }),
        ...authorizationParams(given, scopes),
      };
    },
    pages: { signIn: `${env.basePath}/auth/login`, error: `${env.basePath}/auth/error` },
    defaultCallbackUrl: postLoginPath,
    providers: [
      {
        ...Zitadel({
          issuer,
          clientId,
          ...(clientSecret ? { clientSecret } : {}),
          checks: ['pkce', 'state', 'nonce'],
          authorization: { params: { scope: scopes.join(' '), redirect_uri: callbackUrl } },
          profile: ({ sub }: ZitadelClaims) => ({ id: sub }),
          [customFetch]: fetchForAuthJs(env, discovery, verifier, (tokens) => rules.discard(tokens)),
        }),
        // Auth.js loses symbols below its own options.
        client: {
          token_endpoint_auth_method: clientSecret ? 'client_secret_basic' : 'none',
          [clockTolerance]: CLOCK_TOLERANCE_SECONDS,
        },
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
          sid: sidIn(account.id_token),
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

const saltedSecret = (secret: string, salt: string) =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'session secret', 32)).toString('base64url');

/** What Zitadel has to ask: it may still have sessions in this browser, which would sign in without a question. */
function promptAfter({ isLoggedOut, reason }: { isLoggedOut: boolean; reason: unknown }) {
  if (isLoggedOut) return { prompt: 'select_account' };
  return reason === ('revoked' satisfies SessionEnd) ? { prompt: 'login' } : {};
}
