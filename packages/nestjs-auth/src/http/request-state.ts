import { parse, type Cookies } from 'cookie';
import type { HttpRequest } from '../auth.types.js';
import type { Eventual } from '../mapped.js';
import type { LoadedSession } from '../session/loaded-session.js';

const STATE = Symbol('nestjs-auth');

/** What this module knows of one request, kept on the request itself. */
class RequestState {
  readonly cookies: Readonly<Cookies>;
  loaded: Eventual<LoadedSession> | undefined = undefined;
  /** made for this answer; the browser does not have it yet */
  csrfToken: string | undefined = undefined;

  constructor({ headers }: HttpRequest) {
    this.cookies = headers.cookie ? parse(headers.cookie) : noCookies;
  }
}

const noCookies: Cookies = {};

export function stateOf(request: HttpRequest & { [STATE]?: RequestState }): RequestState {
  return (request[STATE] ??= new RequestState(request));
}
