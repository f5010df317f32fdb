import type { SessionEnded, SessionsUnavailable } from '../auth.errors.js';
import type { Session, SessionToken } from '../auth.types.js';

/** The session of one request, as far as it is known. */
export interface LoadedSession {
  token: SessionToken | null;
  session: Session | null;
  /** why there is no session any more */
  ended?: SessionEnded;
  /** why it is not known whether there is one */
  unknown?: SessionsUnavailable;
}
