import type { Account } from '@auth/core/types';
import type { SessionEnded, SignInFailed } from './auth.errors.js';
import type { HttpRequest, HttpResponse, SessionToken } from './auth.types.js';

/** Hears of what an operator wants to count, and says it in the log: where there is one, the module does not. */
export interface AuthObserver {
  /** Somebody has come back from the provider, and gets a session with this response. */
  signedIn(account: Account, request: HttpRequest, response: HttpResponse): void;
  /** A sign-in ended on the error page, or in an answer to a program. */
  signInFailed(failure: SignInFailed, request: HttpRequest): void;
  /** The provider refused to go on with a session, or its new tokens could not be used. */
  sessionEnded(token: SessionToken, ended: SessionEnded, request: HttpRequest): void;
}
