import { Inject, Injectable, Logger } from '@nestjs/common';
import type {
  AuthUserBase,
  AuthenticatedRequest,
  HttpRequest,
  HttpResponse,
  Session,
  SessionToken,
} from '../auth.types.js';
import { describeError } from '../http/describe-error.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { SessionCookie } from './session-cookie.js';

/** Never rewrite the cookie more often than this share of its idle time… */
const SLIDE_SHARE = 0.1;
/** …and at least after this long, so that the idle limit stays exact to the minute. */
const SLIDE_MAX_SECONDS = 60;

interface Loaded {
  session: Session | null;
  token: SessionToken | null;
}

const signedOut: Loaded = { session: null, token: null };

/** Reads the session of a request and keeps its cookie alive. */
@Injectable()
export class SessionService {
  private readonly logger = new Logger('Session');
  private readonly cookie: SessionCookie;
  private readonly loads = new WeakMap<HttpRequest['headers'], Promise<Loaded>>();

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.cookie = new SessionCookie(options.sessionCookie);
  }

  /** The session of the request, or `null`. Reads it once per request and renews the cookie when that is due. */
  async load(request: AuthenticatedRequest, response: HttpResponse): Promise<Session | null> {
    return (await this.loadOnce(request, response)).session;
  }

  /** What the session cookie holds, tokens included. For the server's own calls, never for an answer. */
  async token(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    return (await this.loadOnce(request, response)).token;
  }

  /** Ends the session in this browser. */
  end(request: AuthenticatedRequest, response: HttpResponse) {
    this.cookie.remove(request, response);
    this.loads.set(request.headers, Promise.resolve(signedOut));
    request.session = null;
  }

  private loadOnce(request: HttpRequest, response: HttpResponse) {
    let load = this.loads.get(request.headers);
    if (!load) this.loads.set(request.headers, (load = this.readSafely(request, response)));
    return load;
  }

  /** A cookie from an older version of the program may open and still not fit: that is being signed out, no failure. */
  private async readSafely(request: HttpRequest, response: HttpResponse): Promise<Loaded> {
    try {
      return await this.read(request, response);
    } catch (error) {
      this.logger.error(`The session was dropped: it cannot be used\n${describeError(error)}`);
      this.cookie.remove(request, response);
      return signedOut;
    }
  }

  private async read(request: HttpRequest, response: HttpResponse): Promise<Loaded> {
    const value = this.cookie.read(request);
    if (!value) return signedOut;
    const opened = await this.options.codec.open(value);
    const token = opened && (await this.currentToken(opened));
    if (!token) {
      this.cookie.remove(request, response);
      return signedOut;
    }
    if (token === opened && !this.isSlideDue(opened)) {
      return { token, session: await this.sessionFrom(token, opened.exp ?? 0) };
    }
    const sealed = await this.options.codec.seal(token);
    this.cookie.write(request, response, sealed.value, sealed.endsAtSeconds - Date.now() / 1000);
    return { token, session: await this.sessionFrom(token, sealed.endsAtSeconds) };
  }

  private async currentToken(token: SessionToken): Promise<SessionToken | null> {
    const { jwt } = this.options.callbacks;
    return jwt ? jwt({ token } as Parameters<typeof jwt>[0]) : token;
  }

  private async sessionFrom(token: SessionToken, endsAtSeconds: number): Promise<Session> {
    const user: AuthUserBase = {
      id: token.sub ?? '',
      name: token.name ?? null,
      email: token.email ?? null,
      image: token.picture ?? null,
    };
    // A program that augments these types fills its members in the session callback.
    const session = { user, expires: new Date(endsAtSeconds * 1000).toISOString() } as Session;
    const callback = this.options.callbacks.session;
    if (!callback) return session;
    return (await callback({ session, token } as unknown as Parameters<typeof callback>[0])) as Session;
  }

  private isSlideDue({ iat = 0 }: SessionToken) {
    const interval = Math.min(SLIDE_MAX_SECONDS, this.options.maxAgeSeconds * SLIDE_SHARE);
    return Date.now() / 1000 - iat >= interval;
  }
}
