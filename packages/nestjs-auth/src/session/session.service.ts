import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ProviderUnavailable, SessionEnded, SessionsUnavailable, type SessionEnd } from '../auth.errors.js';
import type {
  AuthenticatedRequest,
  AuthUserBase,
  HttpRequest,
  HttpResponse,
  Session,
  SessionToken,
} from '../auth.types.js';
import { mapped, type Eventual } from '../mapped.js';
import { describeError } from '../http/describe-error.js';
import { onHeaders } from '../http/on-headers.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import type { LoadedSession } from './loaded-session.js';
import { isOfThisVersion, isOver, type OpenSession } from './session-codec.js';
import { SessionCookie } from './session-cookie.js';

/** The cookie is rewritten after this share of its idle time… */
const SLIDE_SHARE = 0.1;
/** …or after this long, so that the idle limit is exact to the minute. */
const SLIDE_MAX_SECONDS = 60;

/** Cookies seen lately are not decrypted again. A request of a page is rarely the only one. */
const REMEMBERED_COOKIES = 500;

/** Late requests with the cookie of a session that was refused a renewal here are told so, and not that it was revoked. */
const REMEMBERED_ENDS = 1_000;

/** Characters of a cookie by which it is looked up: an A256GCM tag in base64url. */
const KEY_LENGTH = 22;

const signedOut: LoadedSession = { token: null, session: null };

/** Reads the session of a request, keeps its cookie alive and its tokens fresh. */
@Injectable()
export class SessionService {
  private readonly logger = new Logger('Session');
  private readonly cookie: SessionCookie;
  private readonly remembered = new LRUCache<string, { value: string; opened: OpenSession }>({
    max: REMEMBERED_COOKIES,
  });

  /** by the name of the session */
  private readonly ends = new LRUCache<string, SessionEnded>({ max: REMEMBERED_ENDS });

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.cookie = new SessionCookie(options.sessionCookie, (value) => this.opened(value) !== null);
  }

  /**
   * The session of the request, or `null`. Reads it once per request; does not ask the provider for anything.
   * Sets the cookie on the answer when its idle time has to start anew.
   */
  load(request: AuthenticatedRequest, response: HttpResponse): Eventual<Session | null> {
    return mapped(this.loadOnce(request, response), ({ session }) => session);
  }

  /**
   * As `load`, and renews the tokens and reads the user again when that is due. A provider that cannot be reached leaves the
   * session as it is. Throws `SessionEnded` when the provider has put an end to it, and `SessionsUnavailable` when it cannot be told
   * whether the session was ended.
   */
  loadFresh(request: AuthenticatedRequest, response: HttpResponse): Eventual<Session | null> {
    return mapped(this.loadOnce(request, response), (loaded) => {
      const problem = loaded.unknown ?? loaded.ended;
      if (problem) throw problem;
      return this.isDue(loaded) || this.isReloadDue(loaded)
        ? this.loadRenewed(request, response)
        : loaded.session;
    });
  }

  /** Why the session is over whose cookie the request still carries; `undefined` where there is none, or it goes on. */
  async endOf(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionEnd | undefined> {
    return (await this.loadOnce(request, response)).ended?.reason;
  }

  /** What the session cookie holds, tokens included. For the server's own calls, never for an answer. */
  async token(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    return (await this.known(request, response)).token;
  }

  /** As `token`, with an access token that is not due. Throws `ProviderUnavailable` or `SessionEnded` when there is none. */
  async freshToken(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    return (await this.fresh(request, response)).token;
  }

  /** Renews the tokens now, due or not: the provider has refused the access token. Throws as `freshToken`. */
  async renewedToken(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    const loaded = await this.known(request, response);
    return loaded.token && (await this.renew(loaded, request, response)).token;
  }

  /**
   * Replaces what the session holds by what `change` makes of it, which gets an access token that is not due. `null` when
   * nobody is signed in. Throws as `freshToken`, and what `change` throws, of which `SessionEnded` ends the session.
   */
  async replace(
    request: AuthenticatedRequest,
    response: HttpResponse,
    change: (token: SessionToken) => Promise<SessionToken>,
  ): Promise<Session | null> {
    const loaded = await this.fresh(request, response);
    if (!loaded.token) return null;
    const { session } = await this.changed(loaded, change, request, response);
    request.session = session;
    return session;
  }

  /**
   * Changes what the session holds: the `jwt` callback gets `data` with `trigger: 'update'`, as in Auth.js. `null` when
   * nobody is signed in. Throws `SessionsUnavailable`.
   */
  async update(
    request: AuthenticatedRequest,
    response: HttpResponse,
    data: unknown,
  ): Promise<Session | null> {
    const { token } = await this.known(request, response);
    if (!token) return null;
    const changed = await this.afterCallback(token, { trigger: 'update', session: data });
    if (!changed) {
      this.forget(request, response);
      return null;
    }
    const loaded = await this.loadedFrom(this.written(changed, token, request, response).sealed);
    stateOf(request).loaded = loaded;
    return loaded.session;
  }

  /**
   * Ends the session: the browser forgets its cookie, and copies of it are worthless from now on. Returns what it held,
   * and `null` where it had ended before. A store that cannot note the end is in the log; the browser is signed out all
   * the same.
   */
  async end(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    const token = await this.alive(request);
    this.forget(request, response);
    if (token) await this.revoke(token);
    return token;
  }

  /**
   * What the cookie of a request holds, also of a session that was ended before its time; `null` where none opens. For a
   * sign-out, which names the session at the provider: it says nothing about who may do what.
   */
  lastToken(request: HttpRequest): SessionToken | null {
    return this.opened(this.cookie.read(request));
  }

  /** Ends the session a request carries, of which the answer sets the successor. */
  async endReplaced(request: HttpRequest, response: HttpResponse): Promise<void> {
    const token = await this.alive(request);
    this.cookie.removeFormer(request, response);
    if (token) await this.revoke(token);
  }

  /** What the cookie holds, unless it is known to have ended. */
  private async alive(request: HttpRequest): Promise<OpenSession | null> {
    const token = this.opened(this.cookie.read(request));
    try {
      return token && !(await this.isRevoked(token)) ? token : null;
    } catch {
      return token;
    }
  }

  /** Tells whether this ended it, and not another instance. */
  private async revoke(token: OpenSession): Promise<boolean> {
    this.options.discard?.(token);
    try {
      return (await this.options.revocations?.revoke(token)) !== false;
    } catch (error) {
      this.logger.error(`The end of a session was not noted\n${describeError(error)}`);
      return true;
    }
  }

  private forget(request: AuthenticatedRequest, response: HttpResponse) {
    this.cookie.remove(request, response);
    stateOf(request).loaded = signedOut;
    request.session = null;
  }

  private async known(request: HttpRequest, response: HttpResponse): Promise<LoadedSession> {
    const loaded = await this.loadOnce(request, response);
    if (loaded.unknown) throw loaded.unknown;
    return loaded;
  }

  private loadOnce(request: HttpRequest, response: HttpResponse): Eventual<LoadedSession> {
    const state = stateOf(request);
    return (state.loaded ??= this.readSafely(request, response));
  }

  private async loadRenewed(request: AuthenticatedRequest, response: HttpResponse): Promise<Session | null> {
    try {
      return (await this.reloaded(await this.fresh(request, response), request, response)).session;
    } catch (error) {
      if (!(error instanceof ProviderUnavailable)) throw error;
      const loaded = await this.loadOnce(request, response);
      const { token } = loaded;
      const isLate = token !== null && this.isSlideDue(token) && this.areTokensDue(token);
      return (isLate ? await this.kept(token, token, request, response) : loaded).session;
    }
  }

  private isDue({ token }: LoadedSession): boolean {
    return token !== null && this.areTokensDue(token);
  }

  private areTokensDue(token: OpenSession): boolean {
    return this.options.refresh?.isDue(token) === true;
  }

  private async fresh(request: AuthenticatedRequest, response: HttpResponse): Promise<LoadedSession> {
    const loaded = await this.known(request, response);
    if (loaded.ended) throw loaded.ended;
    return this.isDue(loaded) ? this.renew(loaded, request, response) : loaded;
  }

  private isReloadDue({ token }: LoadedSession): boolean {
    return token !== null && this.options.reload?.isDue(token) === true;
  }

  private async reloaded(
    loaded: LoadedSession,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    const { reload } = this.options;
    return reload && this.isReloadDue(loaded)
      ? this.changed(loaded, (token) => reload.reload(token), request, response)
      : loaded;
  }

  private async renew(
    loaded: LoadedSession,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    const { refresh } = this.options;
    if (!refresh) throw new SessionEnded('no_refresh');
    return this.changed(loaded, (token) => refresh.refresh(token), request, response);
  }

  private async changed(
    loaded: LoadedSession,
    change: (token: SessionToken) => Promise<SessionToken>,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    // Whoever calls this has seen that there is one.
    const token = loaded.token as OpenSession;
    try {
      const made = await change(token);
      if (made === token) return loaded;
      const changed = await this.afterChange(made, token, request, response);
      stateOf(request).loaded = changed;
      return changed;
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error;
      const isNews = !this.ends.has(token.jti);
      this.ends.set(token.jti, error);
      stateOf(request).loaded = { ...signedOut, ended: error };
      request.session = null;
      const isFirst = await this.revoke(token);
      // Of those who race one takes the cookie away: by the time of a later answer the browser may have that of the next session.
      if (isFirst) this.cookie.remove(request, response);
      if (isFirst && isNews) this.noteEnd(token, error, request);
      throw error;
    }
  }

  private noteEnd(token: OpenSession, ended: SessionEnded, request: HttpRequest) {
    const { observer } = this.options;
    if (observer) observer.sessionEnded(token, ended, request);
    else this.logger.warn(`A session has ended\n${describeError(ended)}`);
  }

  /** The old tokens are used up, and what was known of the user no longer holds: a session that cannot take the new is over. */
  private async afterChange(
    token: SessionToken,
    before: OpenSession,
    request: HttpRequest,
    response: HttpResponse,
  ) {
    try {
      return await this.kept(token, before, request, response);
    } catch (cause) {
      throw new SessionEnded('unusable', { cause });
    }
  }

  /** A cookie from an older version of the program may open and still not fit: that is being signed out, no failure. */
  private readSafely(request: HttpRequest, response: HttpResponse): Eventual<LoadedSession> {
    const dropped = (error: unknown): LoadedSession => {
      if (error instanceof SessionsUnavailable) {
        this.logger.error(describeError(error));
        return { ...signedOut, unknown: error };
      }
      this.logger.error(`The session was dropped: it cannot be used\n${describeError(error)}`);
      this.cookie.remove(request, response);
      return signedOut;
    };
    try {
      const loaded = this.read(request, response);
      return loaded instanceof Promise ? loaded.catch(dropped) : loaded;
    } catch (error) {
      return dropped(error);
    }
  }

  private read(request: HttpRequest, response: HttpResponse): Eventual<LoadedSession> {
    const value = this.cookie.read(request);
    if (!value) return signedOut;
    const opened = this.opened(value);
    if (!opened) return this.removed(request, response);
    // The cookie of a session that was ended stays: by the time of this answer the browser may have the one of the next.
    return mapped(this.isRevoked(opened), (revoked) => {
      if (!revoked) return this.used(opened, request, response);
      this.options.discard?.(opened);
      return { ...signedOut, ended: this.ends.get(opened.jti) ?? new SessionEnded('revoked') };
    });
  }

  private used(opened: OpenSession, request: HttpRequest, response: HttpResponse): Eventual<LoadedSession> {
    return mapped(this.afterCallback(opened), (token) => {
      if (!token) return this.removed(request, response);
      // Whoever renews its tokens writes the cookie anew; with tokens that are due it must not replace one that has others.
      const isWritten = this.isSlideDue(opened) || !isOfThisVersion(opened);
      const isKept = isSame(token, opened) && (this.areTokensDue(opened) || !isWritten);
      return isKept ? this.loadedFrom(opened) : this.kept(token, opened, request, response);
    });
  }

  private removed(request: HttpRequest, response: HttpResponse): LoadedSession {
    this.cookie.remove(request, response);
    return signedOut;
  }

  private isRevoked(token: OpenSession): Eventual<boolean> {
    const { revocations } = this.options;
    if (!revocations) return false;
    const unavailable = (cause: unknown): never => {
      throw new SessionsUnavailable({ cause });
    };
    try {
      const answer = revocations.isRevoked(token);
      return answer instanceof Promise ? answer.catch(unavailable) : answer;
    } catch (cause) {
      return unavailable(cause);
    }
  }

  private opened(value: string): OpenSession | null {
    // Hashing the whole cookie would cost more than the rest of this method. What ends it is its authentication tag.
    const key = value.slice(-KEY_LENGTH);
    const known = this.remembered.get(key);
    if (known?.value === value) return isOver(known.opened) ? null : known.opened;
    const opened = this.options.codec.open(value);
    if (opened) this.remembered.set(key, { value, opened: deepFrozen(opened) });
    return opened;
  }

  /**
   * Sets the cookie, whose idle time starts anew. A slow answer must not bring back what has ended meanwhile, nor what
   * another request has renewed.
   */
  private kept(
    token: SessionToken,
    before: OpenSession,
    request: HttpRequest,
    response: HttpResponse,
  ): Eventual<LoadedSession> {
    const { sealed, lines } = this.written(token, before, request, response);
    onHeaders(response, () => {
      if (this.isSuperseded(sealed) || this.hasEnded(sealed)) this.cookie.takeBack(response, lines);
    });
    return this.loadedFrom(sealed);
  }

  private isSuperseded(token: OpenSession): boolean {
    const { refresh, reload } = this.options;
    return refresh?.isSuperseded?.(token) === true || reload?.isSuperseded?.(token) === true;
  }

  /** As far as that is known at once: headers wait for nobody. */
  private hasEnded(token: OpenSession): boolean {
    const { revocations } = this.options;
    try {
      if (revocations?.isKnownToBeRevoked) return revocations.isKnownToBeRevoked(token);
      const answer = this.isRevoked(token);
      if (!(answer instanceof Promise)) return answer;
      answer.catch(() => undefined);
    } catch {
      // Nobody can tell now; the next request will ask.
    }
    return false;
  }

  /** The name and the start of a session are not the callbacks' to change: they end it. */
  private written(token: SessionToken, before: OpenSession, request: HttpRequest, response: HttpResponse) {
    const { jti, start } = before;
    const sealed = this.options.seal({ ...token, jti, start });
    const lines = this.cookie.write(request, response, sealed.value, sealed.token.exp - Date.now() / 1000);
    return { sealed: deepFrozen(sealed.token), lines };
  }

  private afterCallback(
    token: SessionToken,
    about: { trigger?: 'update'; session?: unknown } = {},
  ): Eventual<SessionToken | null> {
    const { jwt } = this.options.callbacks;
    return jwt
      ? (jwt({ token: { ...token }, ...about } as Parameters<typeof jwt>[0]) as Eventual<SessionToken | null>)
      : token;
  }

  private loadedFrom(token: OpenSession): Eventual<LoadedSession> {
    const user: AuthUserBase = {
      id: token.sub ?? '',
      name: token.name ?? null,
      email: token.email ?? null,
      image: token.picture ?? null,
    };
    // A program that augments these types fills its members in the session callback.
    const session = { user, expires: new Date(token.exp * 1000).toISOString() } as Session;
    const callback = this.options.callbacks.session;
    const finished = callback
      ? (callback({ session, token } as unknown as Parameters<typeof callback>[0]) as Eventual<Session>)
      : session;
    return mapped(finished, (made) => ({ token, session: made }));
  }

  private isSlideDue({ iat }: OpenSession): boolean {
    const interval = Math.min(SLIDE_MAX_SECONDS, this.options.maxAgeSeconds * SLIDE_SHARE);
    return Date.now() / 1000 - iat >= interval;
  }
}

/** Whether a callback gave back what it was given, but for what is the module's own. */
function isSame(given: SessionToken, opened: OpenSession): boolean {
  const { jti, start, iat, exp, originPort } = opened;
  const own = { jti, start, iat, exp, ...(originPort === undefined ? {} : { originPort }) };
  const all = { ...given, ...own };
  const keys = Object.keys(all) as (keyof typeof all)[];
  return keys.length === Object.keys(opened).length && keys.every((key) => all[key] === opened[key]);
}

/** What requests share, none of them may change. */
function deepFrozen<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) deepFrozen(member as object);
  return Object.freeze(value);
}
