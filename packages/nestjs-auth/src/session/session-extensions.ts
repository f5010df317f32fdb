import type { SessionToken } from '../auth.types.js';

/** Refreshes the tokens of a session. The module decides when, and what the result means for the session. */
export interface SessionRefresh {
  /** Whether the access token has expired or expires soon. Called for every request: must only read the token. */
  isDue(token: SessionToken): boolean;
  /**
   * Returns the content with new tokens. Concurrent requests each call it: one request to the provider has to serve them all.
   *
   * @throws `SessionEnded` when the provider refuses; `ProviderUnavailable` when it does not answer
   */
  refresh(token: SessionToken): Promise<SessionToken>;
  /** Whether the tokens were refreshed after this content was sealed: then no response may set it as a cookie. */
  isSuperseded?(token: SessionToken): boolean;
}

/** Reloads the user of a session from the provider. */
export interface SessionReload {
  /** Whether the user has to be read again. Called for requests to guarded routes: must only read the token. */
  isDue(token: SessionToken): boolean;
  /**
   * Returns the content with the current user, or `token` itself where the provider does not answer. Concurrent requests each call it
   * and wait: one request to the provider has to serve them all, within a short time.
   *
   * @throws `SessionEnded`
   */
  reload(token: SessionToken): Promise<SessionToken>;
  /** Whether newer content was read after this was sealed: then no response may set it as a cookie. */
  isSuperseded?(token: SessionToken): boolean;
}

/** The store of sessions that were ended before their expiry: a cookie alone cannot be revoked. */
export interface SessionRevocations {
  /** Called once per request with a session. A rejection means "unknown": the request gets 503. */
  isRevoked(token: SessionToken): boolean | Promise<boolean>;
  /** The same, without waiting for anything. Called while a response with a session cookie is sent. */
  isKnownToBeRevoked?(token: SessionToken): boolean;
  /**
   * Ends the session `token.jti`, which stays the same when the cookie is rewritten. Resolves to `false` when another call has just done
   * so: its end is reported once.
   */
  revoke(token: SessionToken): Promise<boolean | void>;
}
