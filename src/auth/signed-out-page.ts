import type { SignedOut } from './messages.js';

export const signedOutPage = (what: SignedOut) =>
  what === 'user' ? '/auth/logout/success' : `/auth/logout/success?ended=${what}`;
