import { parse, type Cookies } from 'cookie';
import type { SessionEnded, SessionsUnavailable } from '../auth.errors.js';
import type { HttpRequest, Session } from '../auth.types.js';
import type { OpenSession } from '../session/session-codec.js';

const STATE = Symbol('nestjs-auth');

/** The session of one request, as far as it is known. */
export interface LoadedSession {
  token: OpenSession | null;
  session: Session | null;
  /** why the session ended whose cookie the request carries */
  ended?: SessionEnded;
  /** why it is unknown whether the session was ended */
  unavailable?: SessionsUnavailable;
}

/** State of this module for one request, stored on the request itself. */
class RequestState {
  /** undecoded: of what this module writes into cookies, only `%7C` is encoded */
  readonly cookies: Readonly<Cookies>;
  loaded: LoadedSession | Promise<LoadedSession> | undefined = undefined;
  /** created for this response: the browser does not have it yet */
  csrfToken: string | undefined = undefined;
  /** whether there is a session cookie that cannot be decrypted: tampered, or made with another secret */
  isCookieUnreadable = false;

  constructor({ headers }: HttpRequest) {
    this.cookies = headers.cookie ? parse(headers.cookie, undecoded) : noCookies;
  }
}

const noCookies: Cookies = {};
const undecoded = { decode: (value: string) => value };

export function stateOf(request: HttpRequest & { [STATE]?: RequestState }): RequestState {
  return (request[STATE] ??= new RequestState(request));
}
