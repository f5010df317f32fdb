import type { ResolvedZitadelOptions } from '../zitadel.options.js';

/**
 * What a sign-out has ended: the session of this browser, all of the user, only the one here (Zitadel has no end-session
 * endpoint), or none (it had ended before).
 */
export type SignedOut = 'user' | 'everywhere' | 'here' | 'before';

export type SignOutFailure = 'state_missing' | 'state_mismatch' | 'provider_unavailable' | 'others_not_ended';

type Pages = Pick<ResolvedZitadelOptions, 'signOutPages'>;

export const signedOutPage = ({ signOutPages: { done } }: Pages, what: SignedOut) =>
  what === 'user' ? done : `${done}?ended=${what}`;

export const signOutFailedPage = ({ signOutPages: { failed } }: Pages, reason: SignOutFailure) =>
  `${failed}?reason=${reason}`;
