import type { SignedOut } from './messages.js';

export const signedOutPage = (what: SignedOut, basePath: string) =>
  `${basePath}/auth/logout/success${what === 'user' ? '' : `?ended=${what}`}`;
