import type { SessionEnd, SignInFailure } from '@mridang/nestjs-auth';
import type { SignOutFailure } from '../sign-out/sign-out-pages.js';

/** A failure as docs/errors.md explains it. */
export interface FailureText {
  means: string;
  /** empty where nothing does */
  helps: string;
}

/** Reasons of a failed sign-in. `signInFailureStatus` has their statuses. */
export const signInTexts: Record<SignInFailure, FailureText> = {
  access_denied: {
    means: "The person cancelled, or Zitadel's policy said no; a deactivated user, too.",
    helps: 'Start again; else an administrator of Zitadel.',
  },
  user_locked: {
    means: 'The user was locked between the login page and here.',
    helps: 'An administrator of Zitadel unlocks the user.',
  },
  user_not_found: {
    means: 'The user was removed between the login page and here.',
    helps: 'Another user; an administrator of Zitadel.',
  },
  interaction_required: {
    means: '`prompt=none` was asked for, and Zitadel would have to show a page.',
    helps: 'Start again without `prompt=none`.',
  },
  login_timed_out: { means: 'The way back took longer than a quarter of an hour.', helps: 'Start again.' },
  login_already_used: {
    means: 'The callback was opened a second time, or its code was used or had expired.',
    helps: 'Open the start page; else start again.',
  },
  cookie_missing: {
    means: 'The browser sent no cookie with the callback.',
    helps:
      'Allow cookies for this site; open the application at the address the page names. Operators: is the callback on the origin of `ZITADEL_CALLBACK_URL`, https where that says https?',
  },
  other_browser: {
    means: 'The sign-in was started in another browser, or its cookies are gone.',
    helps: 'Start again in this browser.',
  },
  state_invalid: {
    means: '`state` is missing, doubled or not made by this application.',
    helps: 'Start again; do not shorten the address.',
  },
  check_failed: {
    means: 'The answer does not fit the request: PKCE, or `iss` (RFC 9207).',
    helps: 'Start again. If it happens often, somebody between browser and application changes answers.',
  },
  provider_unavailable: {
    means: 'Zitadel does not answer within `ZITADEL_TIMEOUT`, or answers 5xx or 429.',
    helps: 'Wait a minute. Operators: can this machine reach `ZITADEL_DOMAIN`?',
  },
  provider_misconfigured: {
    means:
      'The metadata name another issuer or lack an endpoint, an endpoint is without TLS, or Zitadel does not accept the client.',
    helps:
      "Operators: compare `ZITADEL_DOMAIN`, `ZITADEL_CLIENT_ID`, `ZITADEL_CLIENT_SECRET` and the redirect URI with Zitadel's console.",
  },
  id_token_invalid: {
    means:
      "The ID token is missing, not signed by Zitadel's keys, not for this client, expired, or has another nonce.",
    helps: 'Operators: the log says which check. Check the clocks of both machines.',
  },
  userinfo_mismatch: {
    means: 'The userinfo is about another `sub` than the ID token.',
    helps: 'Operators: something between Zitadel and this application mixes up answers.',
  },
  session_too_large: {
    means: 'Roles and metadata do not fit into the session cookie.',
    helps:
      'Operators: the log names the largest claims. `ZITADEL_USER_METADATA=false`, fewer scopes in `ZITADEL_SCOPES`, or raise `maxCookies` in `packages/nestjs-zitadel/src/sign-in/auth-options.ts`.',
  },
  login_too_old: {
    means:
      '`max_age` was asked for, and the login is older, or the ID token has no `auth_time`, also after Zitadel was asked again with `prompt=login`.',
    helps: 'Log out, then open the page again.',
  },
  user_mismatch: {
    means:
      'A page asked for a new sign-in of the person who is signed in, and another one signed in. The session stays, the new tokens are revoked.',
    helps: 'Open the page again, and sign in as the person who is signed in here.',
  },
  factor_missing: {
    means:
      'A page asked for a sign-in with an authentication method (`@RequireFactors()`), and the new ID token does not name it in `amr`. The session stays. `detail` in the address and the JSON names the method.',
    helps: 'Set the factor up at Zitadel (the page has the link), then open the page again.',
  },
  organization_unknown: {
    means:
      'The sign-in is for an organization (`?organization=`) that is no id and no domain, or that Zitadel does not know.',
    helps: 'Whoever made the link corrects it.',
  },
  organization_mismatch: {
    means:
      "The sign-in is for an organization, and who signed in is not of it: Zitadel's `resourceowner` claims name another.",
    helps: 'Open the link again and choose an account of that organization.',
  },
  provider_error: {
    means: 'Zitadel refused the code for another reason, or its answer is none.',
    helps: "Start again. Operators: the log has Zitadel's words.",
  },
};

/** Reasons for the end of a session, all of which answer 401. */
export const sessionEndTexts: Record<SessionEnd, FailureText> = {
  refresh_rejected: {
    means:
      'Zitadel refused to refresh the tokens (expired unused, revoked, a deactivated user: it does not say which), or returned those of another user.',
    helps: 'Log in again.',
  },
  no_refresh: {
    means:
      'The access token has expired and cannot be refreshed: there is no refresh token, or Zitadel refuses refreshes of this application.',
    helps: 'Log in again. Operators: tick "Refresh Token" for the application in Zitadel; the log has more.',
  },
  unusable: {
    means: 'The refreshed tokens do not fit into the session cookie.',
    helps: 'Log in again. Operators: as `session_too_large`.',
  },
  revoked: {
    means:
      'The session was ended before its expiry: by a sign-out elsewhere or everywhere, or by Zitadel, which has rejected its access token twice.',
    helps:
      'Log in again; Zitadel is asked with `prompt=login`, since it may still have a session in this browser.',
  },
};

/** Reasons of a failed sign-out, all of which answer 400. */
export const signOutTexts: Record<SignOutFailure, FailureText> = {
  state_missing: {
    means: 'The browser came back from Zitadel without `state`.',
    helps: 'Nothing; the session here is over.',
  },
  state_mismatch: {
    means: 'The browser came back with a `state` that is not of a sign-out it began in the last ten minutes.',
    helps: 'Nothing; the session here is over.',
  },
  provider_unavailable: {
    means: 'Zitadel could not be told that the session has ended.',
    helps: 'Close the browser if others use it.',
  },
  others_not_ended: {
    means: 'Sessions in other browsers may not have ended yet: the shared state is not there.',
    helps: 'Log in and try again. Operators: the log says why.',
  },
};

/** The `code` of each error. Without a status: the reason decides it. */
export const failureTexts: Record<string, FailureText & { status?: number }> = {
  AUTH_SESSION_REQUIRED: { status: 401, means: 'The route needs a session.', helps: 'Log in at `loginUrl`.' },
  AUTH_SESSION_ENDED: {
    status: 401,
    means: 'There was a session, and it is over; `reason` says why.',
    helps: 'Log in again at `loginUrl`.',
  },
  AUTH_ROLES_REQUIRED: {
    status: 403,
    means: 'The route needs a role this user does not have.',
    helps:
      'An administrator grants it in Zitadel; then read the roles again with the button of the page. A role made after the sign-in: log in again.',
  },
  ORGANIZATION_REQUIRED: {
    status: 403,
    means:
      'With `ORGANIZATIONS=active`: none is active of the organizations that grant the user roles: there are several, or the active one grants none any more.',
    helps: 'The page offers a choice. A caller of the API names one in the header `X-Organization`.',
  },
  ORGANIZATION_WITHOUT_ROLES: {
    status: 403,
    means:
      'With `ORGANIZATIONS=active`: the user has no role in the organization that the form or the header `X-Organization` names.',
    helps: 'Another organization; an administrator grants a role there.',
  },
  AUTH_FRESH_SIGN_IN_REQUIRED: {
    status: 401,
    means:
      'The sign-in is older than `@RequireFreshSignIn()` allows, or without a factor of `@RequireFactors()`. `WWW-Authenticate` names `max_age` (RFC 9470). A browser is redirected to a new sign-in.',
    helps: 'Open the page in a browser.',
  },
  AUTH_FRESH_SIGN_IN_IMPOSSIBLE: {
    status: 403,
    means:
      'As `AUTH_FRESH_SIGN_IN_REQUIRED`, and the session has no ID token of Zitadel: it is that of another provider.',
    helps: 'Sign in with Zitadel.',
  },
  AUTH_CSRF_COOKIE_MISSING: {
    status: 403,
    means: 'The form came without a cookie of this application: the browser keeps none.',
    helps:
      'Allow cookies for this site, reload the page and send the form again. A script requests `GET /auth/csrf`, and sends the cookie of that answer, and its token as `X-CSRF-Token`.',
  },
  AUTH_CSRF_TOKEN_INVALID: {
    status: 403,
    means: 'The form has no token, or that of another browser; so has the header `X-CSRF-Token` of a script.',
    helps:
      'Reload the page and send the form again. A script sends `X-CSRF-Token` with the token of `GET /auth/csrf`.',
  },
  AUTH_CROSS_SITE_REQUEST: {
    status: 403,
    means: 'The browser says that another site sent the form.',
    helps:
      'Open the application at the address the page names. Operators: is it open under the origin of `ZITADEL_CALLBACK_URL`?',
  },
  UNAUTHORIZED: {
    status: 401,
    means: 'The program answered 401 with an error that has no code of its own.',
    helps: 'Operators: the log has the error.',
  },
  FORBIDDEN: {
    status: 403,
    means:
      'The program answered 403 with an error that has no code of its own, as of a guard that returns `false`.',
    helps: 'Operators: the log has the error.',
  },
  API_TOKEN_REQUIRED: {
    status: 401,
    means: 'The request has no bearer token.',
    helps: 'Send the header `Authorization: Bearer …` with an access token.',
  },
  API_TOKEN_INVALID: {
    status: 401,
    means:
      'The token is unknown, expired or revoked, or it is for another project. The caller is not told which.',
    helps: 'Get a new token, for the project of the API. Operators: `npm run doctor -- token` says why.',
  },
  API_LOGIN_TOO_OLD: {
    status: 401,
    means:
      'The login of the caller (`auth_time`) is older than `@RequireFreshSignIn()` allows. `WWW-Authenticate` names `max_age` (RFC 9470). A personal access token has no login.',
    helps: 'Log in again, with `prompt=login`, and use the new token.',
  },
  API_FACTORS_REQUIRED: {
    status: 401,
    means: 'The caller has logged in without an authentication method of `@RequireFactors()` (`amr`).',
    helps: 'Log in again with that method, and use the new token.',
  },
  API_SCOPE_REQUIRED: {
    status: 403,
    means: 'The token lacks a scope of `@Scopes()`. `WWW-Authenticate` names them.',
    helps: 'Ask for a token with the scopes.',
  },
  API_ROLE_REQUIRED: {
    status: 403,
    means: 'The caller has none of the roles of `@RequireRoles()` in the project of the API.',
    helps: 'An administrator grants one in Zitadel; it counts within a minute.',
  },
  API_AUTHORIZATION_AMBIGUOUS: {
    status: 400,
    means: 'The request has more than one `Authorization` header.',
    helps: 'Send one.',
  },
  API_INTROSPECTION_UNAVAILABLE: {
    status: 503,
    means: 'Zitadel does not say whether the token is valid.',
    helps: 'Try again after `Retry-After`. Operators: the log says why.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    means: 'More sign-ins, callbacks and sign-outs from one address than `AUTH_RATE_LIMIT` allows.',
    helps: 'Wait as long as `Retry-After` says. Operators: `TRUSTED_PROXIES`.',
  },
  BODY_NOT_JSON: {
    status: 400,
    means: 'The request has `Content-Type: application/json`, and its body is not a JSON object or array.',
    helps: 'Correct the body, or send a form.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    means: 'The address is there, but not for this method.',
    helps: 'The `Allow` header names the right ones.',
  },
  AUTH_SIGN_IN_FAILED: {
    means: 'A sign-in failed; `reason` says why, and decides the status.',
    helps: 'See above.',
  },
  AUTH_UNKNOWN_ACTION: { status: 404, means: 'There is no such page below `/auth`.', helps: '' },
  AUTH_UNKNOWN_ISSUER: {
    status: 400,
    means: '`GET /auth/initiate` names another issuer than `ZITADEL_DOMAIN`.',
    helps: 'Whoever made the link corrects `iss`.',
  },
  AUTH_PROVIDER_UNAVAILABLE: {
    status: 503,
    means: 'Zitadel does not answer. The session is as it was.',
    helps: 'Try again after `Retry-After`.',
  },
  AUTH_SESSIONS_UNAVAILABLE: {
    status: 503,
    means:
      'Whether the session was ended cannot be found out. Not with the state of this application, which is in memory; with another one (`revocations` of the module) that does not answer.',
    helps: 'Try again after `Retry-After`. Operators: the log says why.',
  },
  ZITADEL_REFRESH_IN_DOUBT: {
    status: 503,
    means:
      'Another instance may have used the refresh token without a connection to Redis, or has not finished its refresh. The session stays.',
    helps: 'Try again after `Retry-After`.',
  },
  ZITADEL_ACCESS_TOKEN_REJECTED: {
    status: 503,
    means:
      'Zitadel rejects an access token before its expiry. A first time may be its mistake; a second time, two seconds later, ends the session.',
    helps: 'Try again after a few seconds.',
  },
  ZITADEL_MISCONFIGURED: {
    status: 502,
    means: 'As `provider_misconfigured`.',
    helps: 'As `provider_misconfigured`.',
  },
  ZITADEL_UNEXPECTED_ANSWER: {
    status: 502,
    means: 'Zitadel sent an invalid response, or one longer than a megabyte.',
    helps: 'Operators: the log says which.',
  },
};
