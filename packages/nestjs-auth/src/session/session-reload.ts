import type { SessionToken } from '../auth.types.js';

/** How what a session says about its user is read again from the provider. */
export interface SessionReload {
  /** Tells whether that is too old. Called for requests of guarded routes: reads the token, no more. */
  isDue(token: SessionToken): boolean;
  /**
   * The content with what the provider says now, or `token` itself where it does not say. Requests that race each call it,
   * and wait for it: one request to the provider has to serve them all, and not for long. Throws `SessionEnded`.
   */
  reload(token: SessionToken): Promise<SessionToken>;
  /** Tells whether newer content was read since this was sealed: then it must not reach a browser any more. */
  isSuperseded?(token: SessionToken): boolean;
}
