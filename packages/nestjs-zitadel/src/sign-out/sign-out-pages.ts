import type { Response } from 'express';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';

/**
 * What a sign-out has ended: the session of this browser, all sessions of the user, only the session here (Zitadel has no end-session
 * endpoint), or none (it had ended before).
 */
export type SignedOut = 'user' | 'everywhere' | 'here' | 'before';

export type SignOutFailure = 'state_missing' | 'state_mismatch' | 'provider_unavailable' | 'others_not_ended';

type Pages = Pick<ResolvedZitadelOptions, 'signOutPages'>;

export const signedOutPage = ({ signOutPages: { done } }: Pages, what: SignedOut) =>
  what === 'user' ? done : `${done}?ended=${what}`;

export const signOutFailedPage = ({ signOutPages: { failed } }: Pages, reason: SignOutFailure) =>
  `${failed}?reason=${reason}`;

/** Redirects after a form (RFC 9110 15.4.4) without a body: Express would repeat the address in one. */
export function seeOther(response: Response, url: string): void {
  response.status(303).setHeader('Location', url).end();
}
