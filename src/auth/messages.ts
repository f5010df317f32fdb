import type { SessionEnd, SignInFailure } from '@mridang/nestjs-auth';
import type { SignedOut, SignOutFailure } from '@mridang/nestjs-zitadel';
import type { TextKey } from '../texts/en.js';

/** Texts and status of a failure page. */
export interface Message {
  status: number;
  title: TextKey;
  text: TextKey;
  /** action on the page, beside the link to the start page */
  offers?: 'login' | 'logout' | 'nothing';
}

const signIn = <Reason extends SignInFailure | 'unknown'>(
  reason: Reason,
  status: number,
  offers: Message['offers'] = 'login',
) => ({
  status,
  title: `signIn.${reason}.title` as const,
  text: `signIn.${reason}.text` as const,
  offers,
});

/** Why a sign-in ended on the error page. */
export const signInMessages: Record<SignInFailure, Message> = {
  access_denied: signIn('access_denied', 403),
  user_locked: signIn('user_locked', 403),
  user_not_found: signIn('user_not_found', 403),
  interaction_required: signIn('interaction_required', 401),
  login_timed_out: signIn('login_timed_out', 400),
  login_already_used: signIn('login_already_used', 400),
  cookie_missing: signIn('cookie_missing', 400),
  other_browser: signIn('other_browser', 400),
  state_invalid: signIn('state_invalid', 400),
  check_failed: signIn('check_failed', 400),
  provider_unavailable: signIn('provider_unavailable', 503),
  provider_misconfigured: signIn('provider_misconfigured', 502, 'nothing'),
  id_token_invalid: signIn('id_token_invalid', 502),
  userinfo_mismatch: signIn('userinfo_mismatch', 502),
  session_too_large: signIn('session_too_large', 502),
  login_too_old: signIn('login_too_old', 403, 'logout'),
  // A sign-in started from the error page would lose the organization.
  organization_unknown: signIn('organization_unknown', 400, 'nothing'),
  organization_mismatch: signIn('organization_mismatch', 403, 'nothing'),
  provider_error: signIn('provider_error', 502),
};

/** Why a session ended, for the login page. */
export const sessionEndMessages: Record<SessionEnd, TextKey> = {
  refresh_rejected: 'ended.refresh_rejected',
  revoked: 'ended.revoked',
  unusable: 'ended.unusable',
  no_refresh: 'ended.no_refresh',
};

/** Anybody can open this page, so its status must not look like a server error. */
const signOut = <Reason extends string>(reason: Reason) => ({
  status: 400,
  title: `signOut.${reason}.title` as const,
  text: `signOut.${reason}.text` as const,
});

/** Why a sign-out ended on the error page. The session here has ended in any case. */
export const signOutMessages = {
  state_missing: signOut('state_missing'),
  state_mismatch: signOut('state_mismatch'),
  provider_unavailable: signOut('provider_unavailable'),
  others_not_ended: signOut('others_not_ended'),
} satisfies Record<SignOutFailure, Message>;

/** What a sign-out has ended. */
export const signedOutTexts: Record<SignedOut, TextKey> = {
  user: 'signedOut.user',
  everywhere: 'signedOut.everywhere',
  here: 'signedOut.here',
  before: 'signedOut.before',
};

const unknown: Message = signIn('unknown', 400);

/** The message for a reason in a URL, which may be any text. */
export const messageFor = (messages: Record<string, Message>, reason: unknown): Message =>
  typeof reason === 'string' && Object.hasOwn(messages, reason) ? (messages[reason] ?? unknown) : unknown;
