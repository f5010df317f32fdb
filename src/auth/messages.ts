import type { SessionEnd, SignInFailure } from '@mridang/nestjs-auth';

export interface Message {
  status: number;
  title: string;
  text: string;
}

const forOperators = 'The people who run this application find the reason in its log.';

/** Why a sign-in ended on the error page, in words for the person who reads it. */
export const signInMessages: Record<SignInFailure, Message> = {
  access_denied: {
    status: 403,
    title: 'Sign-in was cancelled',
    text: 'Zitadel did not let you in, or you changed your mind. Nothing has happened.',
  },
  interaction_required: {
    status: 401,
    title: 'Zitadel has to ask you first',
    text: 'You were to be signed in without a question, and that is not possible right now. Start again and answer what Zitadel asks.',
  },
  login_timed_out: {
    status: 400,
    title: 'That took too long',
    text: 'A sign-in has to be finished within a quarter of an hour. Please start again.',
  },
  login_already_used: {
    status: 400,
    title: 'This sign-in was finished before',
    text: 'Its link works once. You may be signed in already: open the start page, or start again.',
  },
  cookie_missing: {
    status: 400,
    title: 'Your browser sent no cookies',
    text: 'Without cookies nobody can stay signed in here. Allow them for this site, then start again.',
  },
  other_browser: {
    status: 400,
    title: 'This sign-in began elsewhere',
    text: 'It was started in another browser or window, or its cookies were deleted. Please start again in this one.',
  },
  state_invalid: {
    status: 400,
    title: 'This link is not complete',
    text: 'The address belongs to no sign-in that was started here; perhaps a part of it was lost. Please start again.',
  },
  check_failed: {
    status: 400,
    title: 'This sign-in cannot be finished',
    text: 'The answer does not fit the sign-in that was started here, so it was not accepted. Please start again.',
  },
  provider_unavailable: {
    status: 503,
    title: 'Sign-in is not available right now',
    text: 'Zitadel cannot be reached. Please try again in a minute.',
  },
  provider_misconfigured: {
    status: 502,
    title: 'Sign-in is not set up correctly',
    text: `This application and Zitadel do not fit together. Trying again will not help. ${forOperators}`,
  },
  id_token_invalid: {
    status: 502,
    title: 'The proof of who you are was not accepted',
    text: `What Zitadel sent did not stand the check, so nobody was signed in. ${forOperators}`,
  },
  userinfo_mismatch: {
    status: 502,
    title: 'Zitadel spoke of two people',
    text: `What it says about you belongs to somebody else, so nobody was signed in. ${forOperators}`,
  },
  session_too_large: {
    status: 502,
    title: 'Your account does not fit',
    text: 'Zitadel says more about you than a cookie can hold. The people who run this application can ask for fewer roles.',
  },
  provider_error: {
    status: 502,
    title: 'Zitadel refused the sign-in',
    text: `Something went wrong between this application and Zitadel. ${forOperators}`,
  },
};

/** Why somebody who was signed in sees the login page, in a sentence. */
export const sessionEndMessages: Record<SessionEnd, string> = {
  refresh_rejected: 'You were signed out because Zitadel has ended your session. Please log in again.',
  revoked:
    'You were signed out because your session was ended, in another place or by Zitadel. Please log in again.',
  unusable: 'You were signed out because your session could not be kept. Please log in again.',
  no_refresh: 'You were signed out because Zitadel no longer accepts your session. Please log in again.',
};

/** Why a sign-out ended on its error page. Whatever the reason, the session here is over. */
export const signOutMessages = {
  state_missing: {
    status: 400,
    title: 'You are signed out here',
    text: 'The answer from Zitadel did not say which sign-out it was for, so we cannot tell whether you are signed out there, too.',
  },
  state_mismatch: {
    status: 400,
    title: 'You are signed out here',
    text: 'The answer from Zitadel did not belong to a sign-out of this browser, so we cannot tell whether you are signed out there, too.',
  },
  provider_unavailable: {
    status: 503,
    title: 'You are signed out here',
    text: 'Zitadel could not be reached, so you may still be signed in there. Close the browser if others use it.',
  },
  others_not_ended: {
    status: 503,
    title: 'You are signed out here, but perhaps not elsewhere',
    text: 'Your sessions in other browsers could not be ended. Please log in and try again in a minute.',
  },
} satisfies Record<string, Message>;

export type SignOutFailure = keyof typeof signOutMessages;

const unknown: Message = {
  status: 400,
  title: 'Something went wrong',
  text: 'Please start again. If it happens once more, tell the people who run this application.',
};

/** The message for a reason that came with a URL; any text may. */
export const messageFor = (messages: Record<string, Message>, reason: unknown): Message =>
  typeof reason === 'string' && Object.hasOwn(messages, reason) ? (messages[reason] ?? unknown) : unknown;
