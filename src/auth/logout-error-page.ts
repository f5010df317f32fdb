import type { SignOutFailure } from './messages.js';

export const logoutErrorPage = (reason: SignOutFailure) => `/auth/logout/error?reason=${reason}`;
