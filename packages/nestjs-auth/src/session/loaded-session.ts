import type { SessionEnded, SessionsUnavailable } from '../auth.errors.js';
import type { Session } from '../auth.types.js';
import type { OpenSession } from './session-codec.js';

/** The session of one request, as far as it is known. */
export interface LoadedSession {
  token: OpenSession | null;
  session: Session | null;
  /** why there is no session any more */
  ended?: SessionEnded;
  /** why it is not known whether there is one */
  unknown?: SessionsUnavailable;
}
