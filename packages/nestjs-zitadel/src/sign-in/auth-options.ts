import { customFetch } from '@auth/core';
import Zitadel from '@auth/core/providers/zitadel';
import type { Account, User } from '@auth/core/types';
import {
  RolesRequired,
  type AuthUser,
  type IAuthModuleOptions,
  type SessionEnd,
  type SessionToken,
} from '@mridang/nestjs-auth';
import type { Response } from 'express';
import { clockTolerance } from 'openid-client';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import { deriveKey } from '../keys.js';
import { authorizationParams } from './authorization-params.js';
import type { BearerCredentials } from '../authenticate/bearer-credentials.js';
import type { CalledRequest } from '../bearer/caller.js';
import type { ClaimsReload } from '../session/claims-reload.js';
import { loginAgeIn, scopesFor, sidIn, userFrom, type ZitadelClaims } from '../claims/claims.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import type { Discovery } from '../client/discovery.js';
import type { EndedSessions } from '../session/ended-sessions.js';
import { fetchForAuthJs } from './fetch-for-auth-js.js';
import { actingUser, withActiveOrganization } from '../organizations/acting.js';
import type { ChosenOrganizations } from '../organizations/chosen-organizations.js';
import { organizationRefusal, roleFacts } from '../organizations/organization.errors.js';
import type { Refusals } from '../refusals/refusals.js';
import type { Resumption } from '../session/resumption.js';
import { ZITADEL, type CarriedOver, type SignInRules } from './sign-in-rules.js';
import { tokenSetFrom } from '../session/session-token.js';
import type { LoggedOutCookie } from '../sign-out/logged-out-cookie.js';
import type { TokenRefresher } from '../session/token-refresher.js';
import type { TokenRevocation } from '../session/token-revocation.js';
import type { TokenVerifier } from '../tokens/token-verifier.js';

/** Returns the options of `AuthModule` with Zitadel as the provider. */
export function authOptions(
  options: ResolvedZitadelOptions,
  discovery: Discovery,
  verifier: TokenVerifier,
  refresher: TokenRefresher,
  reload: ClaimsReload,
  endedSessions: EndedSessions,
  revocation: TokenRevocation,
  loggedOut: LoggedOutCookie,
  rules: SignInRules,
  resumption: Resumption,
  chosen: ChosenOrganizations,
  credentials: BearerCredentials,
  refusals: Refusals,
): IAuthModuleOptions {
  const { clientId, clientSecret, issuer, organizations, redirectUri, observer } = options;
  const isActive = organizations === 'active';
  const scopes = scopesFor(options);
  return {
    origin: options.origin,
    mountPath: options.mountPath,
    secret: options.secrets.map((secret) => saltedSecret(secret, options.salt)),
    // One cookie: nginx forwards 4 KB of response headers by default, and answers 502 to more.
    session: {
      maxAge: options.session.durationSeconds,
      maxLifetime: options.session.maxDurationSeconds,
      maxCookies: 1,
    },
    refresh: refresher,
    reload,
    revocations: endedSessions,
    discard: (token) => void revocation.revoke(token),
    resume: (ended, token, request) => resumption.paramsFor(ended, token, request),
    signInPolicy: rules,
    // A choice helps only where some organization grants the role.
    rolesRefusal: (roles, user: Partial<AuthUser>, request?: Partial<CalledRequest>) =>
      (user.allRoles?.some((role) => roles.includes(role))
        ? organizationRefusal(user, { asked: request?.organizationAsked, roles })
        : undefined) ?? new RolesRequired(roles, roleFacts(user)),
    refused: (refusal, request) => refusals.report(refusal, request),
    credentials,
    observer: {
      signedIn: ({ providerAccountId, id_token: idToken }, request, response) => {
        loggedOut.delete(request, response as Response);
        observer.signedIn?.({ sub: providerAccountId, sid: sidIn(idToken) }, request);
      },
      signInFailed: (failure, request) => observer.signInFailed?.(failure, request),
      sessionEnded: (token, ended, request) => observer.sessionEnded?.(token, ended, request),
    },
    authorizationParams: (given, request) => {
      const uiLocales = options.uiLocales(request);
      return {
        ...(uiLocales ? { ui_locales: uiLocales } : {}),
        ...promptAfter({ isLoggedOut: loggedOut.isIn(request), reason: given['reason'] }),
        ...authorizationParams(given, scopes),
      };
    },
    ...options.auth,
    defaultReturnTo: options.postLoginPath,
    providers: [
      {
        ...Zitadel({
          issuer,
          clientId,
          ...(clientSecret ? { clientSecret } : {}),
          checks: ['pkce', 'state', 'nonce'],
          authorization: { params: { scope: scopes.join(' '), redirect_uri: redirectUri } },
          profile: ({ sub }: ZitadelClaims) => ({ id: sub }),
          [customFetch]: fetchForAuthJs(options, discovery, verifier, (tokens) => rules.discard(tokens)),
        }),
        // Auth.js does not copy symbols of nested options, so the tolerance is set here.
        client: {
          token_endpoint_auth_method: clientSecret ? 'client_secret_basic' : 'none',
          [clockTolerance]: CLOCK_TOLERANCE_SECONDS,
        },
        // By default the ID tokens of Zitadel have no profile claims; userinfo always has them.
        idToken: false,
      },
      ...options.providers,
    ],
    callbacks: {
      jwt: ({ token, account, profile, user, trigger, session }) => {
        if (!account && !isActive) return token;
        if (!account) return trigger === 'update' ? chosen.choose(token, session) : chosen.latest(token);
        if (account.provider !== ZITADEL) return foreignSession(account, user);
        const { startedAt, current, activeOrganization } = (session ?? {}) as CarriedOver;
        const isSameUser = current?.sub === account.providerAccountId;
        const made: SessionToken = {
          sub: account.providerAccountId,
          user: userFrom(profile as ZitadelClaims),
          sid: sidIn(account.id_token),
          loginAge: loginAgeIn(account.id_token),
          organizationId: isSameUser ? current.organizationId : activeOrganization,
          ...(startedAt === undefined ? {} : { claimsReadAt: startedAt }),
          ...tokenSetFrom(account),
        };
        return withActiveOrganization(made, organizations);
      },
      session: ({ session, token: { user, organizationId } }) => {
        if (!user) throw new Error('The session has no user');
        return { user: isActive ? actingUser(user, organizationId) : user, expires: session.expires };
      },
    },
  };
}

/** Roles are Zitadel's to give, and the id may be that of somebody else there. */
function foreignSession(
  { provider, providerAccountId }: Account,
  { name, email, image }: User,
): SessionToken {
  const sub = `${provider}:${providerAccountId}`;
  return { sub, user: userFrom({ sub, name, email, picture: image }) };
}

const saltedSecret = (secret: string, salt: string) =>
  deriveKey(secret, salt, 'session secret').toString('base64url');

/** Returns the `prompt` after a sign-out or a revoked session: Zitadel may still have a session in this browser, and would not ask. */
function promptAfter({ isLoggedOut, reason }: { isLoggedOut: boolean; reason: unknown }) {
  if (isLoggedOut) return { prompt: 'select_account' };
  return reason === ('revoked' satisfies SessionEnd) ? { prompt: 'login' } : {};
}
