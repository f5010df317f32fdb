import type { SignOutFailure } from './messages.js';

export const logoutErrorPage = (reason: SignOutFailure, basePath: string) =>
  `${basePath}/auth/logout/error?reason=${reason}`;
