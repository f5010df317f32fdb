import type { SessionEnd, SignInFailure } from '@mridang/nestjs-auth';

export interface Message {
  status: number;
  title: string;
  text: string;
}

/** Why a sign-in ended on the error page, in words for the person who reads it. */
export const signInMessages: Record<SignInFailure, Message> = {
  access_denied: {
    status: 403,
    title: 'Sign-in was cancelled',
    text: 'Zitadel did not let you in, or you changed your mind. Nothing has happened.',
  },
  check_failed: {
    status: 400,
    title: 'This sign-in cannot be finished',
    text: 'It took too long, was finished already, or began in another browser. Please start again.',
  },
  provider_unavailable: {
    status: 503,
    title: 'Sign-in is not available right now',
    text: 'Zitadel cannot be reached. Please try again in a minute.',
  },
  session_too_large: {
    status: 502,
    title: 'Your account does not fit',
    text: 'Zitadel says more about you than a cookie can hold. The people who run this application can ask for fewer roles.',
  },
  provider_error: {
    status: 502,
    title: 'Zitadel refused the sign-in',
    text: 'The set-up of this application and Zitadel do not fit together. The people who run it find the reason in the log.',
  },
};

/** Why somebody who was signed in sees the login page, in a sentence. */
export const sessionEndMessages: Record<SessionEnd, string> = {
  refresh_rejected: 'You were signed out because Zitadel has ended your session. Please log in again.',
  unusable: 'You were signed out because your session could not be kept. Please log in again.',
  no_refresh: 'You were signed out because Zitadel no longer accepts your session. Please log in again.',
};

/** Why a sign-out ended on its error page. Whatever the reason, the session here is over. */
export const signOutMessages = {
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
