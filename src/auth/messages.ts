import { signInFailureStatus, type SessionEnd, type SignInFailure } from '@mridang/nestjs-auth';
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

/** Actions other than a new login. A sign-in started from the error page would lose the organization. */
const signInOffers: Partial<Record<SignInFailure, Message['offers']>> = {
  provider_misconfigured: 'nothing',
  login_too_old: 'logout',
  organization_unknown: 'nothing',
  organization_mismatch: 'nothing',
};

const signIn = <Reason extends SignInFailure | 'unknown'>(reason: Reason, status: number) => ({
  status,
  title: `signIn.${reason}.title` as const,
  text: `signIn.${reason}.text` as const,
});

/** Why a sign-in ended on the error page: one for each `SignInFailure`. */
export const signInMessages = Object.fromEntries(
  Object.entries(signInFailureStatus).map(([name, status]) => {
    const reason = name as SignInFailure;
    return [reason, { ...signIn(reason, status), offers: signInOffers[reason] ?? 'login' }];
  }),
) as Record<SignInFailure, Message>;

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

const unknown: Message = { ...signIn('unknown', 400), offers: 'login' };

/** The message for a reason in a URL, which may be any text. */
export const messageFor = (messages: Record<string, Message>, reason: unknown): Message =>
  typeof reason === 'string' && Object.hasOwn(messages, reason) ? (messages[reason] ?? unknown) : unknown;
