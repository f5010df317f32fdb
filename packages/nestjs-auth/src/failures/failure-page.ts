import type { SignInFailure } from '../auth.errors.js';
import { withQuery } from '../http/with-query.js';
import type { ResolvedAuthOptions } from '../resolved-auth-options.js';

const TRY_AGAIN = 'Please sign in again.';
const NOT_ALLOWED = 'Your account may not use this application. Ask whoever manages it for access.';
const CONFIGURATION =
  'The application or its identity provider is not set up correctly. Whoever operates the application has to act.';
export const LINK_USED = 'This link was used before, or it has expired.';

/** What happened, for each reason of a failed sign-in. */
const sentences: Record<SignInFailure, string> = {
  access_denied:
    'The sign-in was cancelled, or your account may not use this application. For access, ask whoever manages it.',
  user_locked: 'Your account is locked.',
  user_not_found: 'Your account does not exist any more.',
  interaction_required: `The identity provider has to ask you something. ${TRY_AGAIN}`,
  login_timed_out: `The sign-in took too long. ${TRY_AGAIN}`,
  login_already_used: `This sign-in was completed before. ${TRY_AGAIN}`,
  cookie_missing: 'The browser sent no cookie. Allow cookies for this site, and sign in again.',
  other_browser: 'The sign-in began in another browser. Please sign in again in this one.',
  state_invalid: `This sign-in was not started here. ${TRY_AGAIN}`,
  check_failed: `A security check of the sign-in failed. ${TRY_AGAIN}`,
  provider_unavailable: 'The identity provider cannot be reached right now. Please try again later.',
  provider_misconfigured: CONFIGURATION,
  id_token_invalid: CONFIGURATION,
  userinfo_mismatch: CONFIGURATION,
  session_too_large: CONFIGURATION,
  login_too_old: `Your last login is too long ago for this page. ${TRY_AGAIN}`,
  user_mismatch: 'Somebody else has signed in than the user this was about. Nothing has changed.',
  factor_missing:
    'This needs another authentication method, such as a second factor. Set it up, and try again.',
  organization_unknown: 'The identity provider does not know this organization.',
  organization_mismatch: 'You are not a member of this organization.',
  provider_error: `The sign-in with the identity provider failed. ${TRY_AGAIN}`,
};

/** The errors of Auth.js that have no reason of this module beside them. */
const authJsSentences: Record<string, string> = {
  AccessDenied: NOT_ALLOWED,
  Configuration: CONFIGURATION,
  Verification: LINK_USED,
};

const ofName = (known: Readonly<Record<string, string>>, name: string | null) =>
  name !== null && Object.hasOwn(known, name) ? known[name] : undefined;

/**
 * The page of a failed sign-in, for a program without `pages.error`. Anybody can write its address: only known texts and a well-formed
 * reference are shown, and its status is not that of a failure of the server.
 */
export function failurePage(
  query: URLSearchParams,
  options: Pick<ResolvedAuthOptions, 'signInPage' | 'defaultReturnTo' | 'returnTo'>,
): Response {
  const callbackUrl = query.get('callbackUrl');
  const signIn =
    callbackUrl === null
      ? options.signInPage
      : withQuery(options.signInPage, { callbackUrl: options.returnTo(callbackUrl) });
  const error = query.get('error');
  const sentence =
    ofName(sentences, query.get('reason')) ??
    ofName(authJsSentences, error) ??
    `The sign-in failed. ${TRY_AGAIN}`;
  const reference = /^[0-9a-f]{12}$/.exec(query.get('ref') ?? '')?.[0];
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<meta name="robots" content="noindex">',
    '<title>Sign-in did not succeed</title>',
    '<main>',
    '<h1>Sign-in did not succeed</h1>',
    `<p>${sentence}</p>`,
    ...(reference ? [`<p>Reference: <code>${reference}</code></p>`] : []),
    `<p><a href="${escaped(signIn)}">Sign in again</a> · <a href="${escaped(options.defaultReturnTo)}">Start page</a></p>`,
    '</main>',
    '</html>',
  ];
  return new Response(lines.join('\n'), {
    status: error === 'AccessDenied' ? 403 : 400,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'private, no-store' },
  });
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
