/** The users of the pages; a visitor has no session. */
export const people = { alice: 'alice@acme.example', bob: 'bob@acme.example' };

export type Person = keyof typeof people;

/** A page of the application and how to open it. */
export interface PageUnderTest {
  /** its screenshots are `docs/screenshots/NAME-WIDTH-SCHEME.png` */
  name: string;
  path: string;
  person?: Person;
  status?: number;
  /** whether to scroll to the section that the script fills */
  scrollToLive?: true;
}

const failure = (status: number): PageUnderTest => ({
  name: `error-${status}`,
  path: `/failures/${status}`,
  status,
});

/** All pages of the application, for a `startAppWithApi()`. */
export const pages: readonly PageUnderTest[] = [
  { name: 'home', path: '/' },
  { name: 'home-signed-in', path: '/', person: 'alice' },
  { name: 'login', path: '/auth/login' },
  { name: 'login-register', path: '/auth/login?prompt=create' },
  { name: 'login-session-ended', path: '/auth/login?reason=revoked' },
  { name: 'login-deep-link', path: '/auth/login?callbackUrl=%2Fadmin' },
  { name: 'profile', path: '/profile', person: 'alice' },
  { name: 'profile-no-roles', path: '/profile', person: 'bob' },
  { name: 'profile-live', path: '/profile', person: 'alice', scrollToLive: true },
  { name: 'profile-live-page', path: '/profile/live', person: 'alice' },
  { name: 'profile-api', path: '/profile/api', person: 'alice' },
  { name: 'admin', path: '/admin', person: 'alice' },
  { name: 'admin-no-access', path: '/admin', person: 'bob', status: 403 },
  { name: 'logged-out', path: '/auth/logout/success' },
  { name: 'logged-out-before', path: '/auth/logout/success?ended=before' },
  { name: 'logged-out-everywhere', path: '/auth/logout/success?ended=everywhere' },
  { name: 'sign-in-failed', path: '/auth/error?reason=provider_error&ref=0123456789ab', status: 400 },
  { name: 'sign-in-no-cookies', path: '/auth/error?reason=cookie_missing&ref=0123456789ab', status: 400 },
  { name: 'login-again', path: '/auth/login?prompt=login', person: 'alice' },
  { name: 'sign-out-failed', path: '/auth/logout/error?reason=state_mismatch', status: 400 },
  ...[400, 401, 403, 404, 405, 413, 429, 500, 502, 503].map(failure),
];
