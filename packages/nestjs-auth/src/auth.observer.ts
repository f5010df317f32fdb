import type { SessionEnded, SignInFailed } from './auth.errors.js';
import type { SessionToken } from './auth.types.js';

/** Hears of what an operator wants to count, and says it in the log: where there is one, the module does not. */
export interface AuthObserver {
  /** A sign-in ended on the error page, or in an answer to a program. */
  signInFailed(failure: SignInFailed): void;
  /** The provider refused to go on with a session, or its new tokens could not be used. */
  sessionEnded(token: SessionToken, ended: SessionEnded): void;
}
