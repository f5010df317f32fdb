import type { SessionToken } from '../auth.types.js';
import type { Eventual } from '../mapped.js';

/** Knows which sessions were ended before their time. A cookie alone cannot be taken back. */
export interface SessionRevocations {
  /** Asked at every read of a session. A rejection counts as "cannot tell": the request is answered 503. */
  isRevoked(token: SessionToken): Eventual<boolean>;
  /** What is known of that without asking anybody. Asked when an answer is about to set a cookie: that cannot wait. */
  isKnownToBeRevoked?(token: SessionToken): boolean;
  /**
   * Ends the session with `token.jti`, which every later renewal of its cookie keeps. `false` where somebody else has done so a
   * moment ago: then the end is reported already.
   */
  revoke(token: SessionToken): Promise<boolean | void>;
}
