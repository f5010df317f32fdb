import { parse, type Cookies } from 'cookie';
import type { HttpRequest } from '../auth.types.js';
import type { Eventual } from '../mapped.js';
import type { LoadedSession } from '../session/loaded-session.js';

const STATE = Symbol('nestjs-auth');

/** What this module knows of one request, kept on the request itself. */
class RequestState {
  /** as the browser sent them: nothing this module writes needs more decoding than `%7C` */
  readonly cookies: Readonly<Cookies>;
  loaded: Eventual<LoadedSession> | undefined = undefined;
  /** made for this answer; the browser does not have it yet */
  csrfToken: string | undefined = undefined;

  constructor({ headers }: HttpRequest) {
    this.cookies = headers.cookie ? parse(headers.cookie, asSent) : noCookies;
  }
}

const noCookies: Cookies = {};
const asSent = { decode: (value: string) => value };

export function stateOf(request: HttpRequest & { [STATE]?: RequestState }): RequestState {
  return (request[STATE] ??= new RequestState(request));
}
