/** A failure in words for the person who reads the page. */
export interface Explanation {
  title: string;
  text: string;
}

const byStatus: Record<number, Explanation> = {
  400: {
    title: 'That request made no sense',
    text: 'Something in the address or the form is not as it should be.',
  },
  401: { title: 'Please sign in', text: 'This page is only for people who are signed in.' },
  403: { title: 'Not for you', text: 'You are signed in, but this needs a permission you do not have.' },
  404: { title: 'Page not found', text: 'There is nothing at this address.' },
  405: { title: 'That does not work here', text: 'This address cannot be used in that way.' },
  413: { title: 'That is too much', text: 'The request is larger than this application accepts.' },
  502: {
    title: 'Zitadel answered something unexpected',
    text: 'The people who run this application have to look at it.',
  },
  503: {
    title: 'Sign-in is not available right now',
    text: 'Zitadel cannot be reached. Please try again in a minute.',
  },
};

/** Failures whose status alone says too little. */
export const explanationsByCode: Record<string, Explanation> = {
  AUTH_ROLES_REQUIRED: {
    title: 'Not for you',
    text: 'You are signed in, but this needs a role you do not have.',
  },
  AUTH_CSRF_TOKEN_INVALID: {
    title: 'The form is no longer valid',
    text: 'Go back, reload the page and try again.',
  },
  AUTH_CROSS_SITE_REQUEST: {
    title: 'That form came from elsewhere',
    text: 'Another site made your browser send it, so nothing was done. Open the application itself and try again.',
  },
  AUTH_SESSIONS_UNAVAILABLE: {
    title: 'Your session cannot be checked right now',
    text: 'You are not signed out. Please try again in a minute.',
  },
  AUTH_UNKNOWN_ISSUER: {
    title: 'This link belongs to another sign-in',
    text: 'It names an identity provider that this application does not use. You can log in from the start page.',
  },
  ZITADEL_ACCESS_TOKEN_REJECTED: {
    title: 'Please sign in again',
    text: 'Zitadel no longer accepts this session.',
  },
  ZITADEL_MISCONFIGURED: {
    title: 'Sign-in is not set up correctly',
    text: 'This application and Zitadel do not fit together. The people who run it find the reason in its log.',
  },
};

const fallback: Explanation = {
  title: 'Something went wrong',
  text: 'It is not your fault. Please try again later.',
};

/** What to say about a failure with this status and, if it has one, this code. */
export const explanationFor = (status: number, code: string | undefined): Explanation =>
  (code === undefined ? undefined : explanationsByCode[code]) ??
  byStatus[status] ??
  (status < 500 ? byStatus[400] : undefined) ??
  fallback;
