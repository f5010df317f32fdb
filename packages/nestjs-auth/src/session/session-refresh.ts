import type { SessionToken } from '../auth.types.js';

/** How the tokens in a session are renewed. The module decides when, and what an answer means for the session. */
export interface SessionRefresh {
  /** Tells whether the access token has expired or is about to. Called for every request: reads the token, no more. */
  isDue(token: SessionToken): boolean;
  /**
   * Gets new tokens. Requests that race each call it: one request to the provider has to serve them all.
   * Throws `SessionEnded` when the provider refuses, `ProviderUnavailable` when it cannot be asked.
   */
  refresh(token: SessionToken): Promise<SessionToken>;
  /** Tells whether the tokens were renewed since this content was sealed: then it must not reach a browser any more. */
  isSuperseded?(token: SessionToken): boolean;
}
