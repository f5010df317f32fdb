import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import {
  isProviderUnavailable,
  isSessionEnded,
  SessionEnded,
  SessionsUnavailable,
  type SessionEnd,
} from '../auth.errors.js';
import type {
  AuthenticatedRequest,
  AuthUserBase,
  HttpRequest,
  HttpResponse,
  Session,
  SessionToken,
} from '../auth.types.js';
import { describeError } from '../http/error-chain.js';
import { onHeaders } from '../http/raw-response.js';
import { stateOf, type LoadedSession } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { hasPortInside, isExpired, type OpenSession } from './session-codec.js';
import { hasLongField, SessionCookie } from './session-cookie.js';

/** The idle time starts anew after this share of it… */
const SLIDE_SHARE = 0.1;
/** …and at the latest after this many seconds, so that the idle limit is exact to the minute. */
const SLIDE_MAX_SECONDS = 60;

/** Decrypted cookies in the cache: the requests of one page carry the same cookie. */
const MAX_DECRYPTED_COOKIES = 500;

/** Sessions whose failed refresh this process remembers: a late request with their cookie gets that reason, not `revoked`. */
const MAX_REMEMBERED_ENDS = 1_000;

/** Characters of a cookie value that are its cache key: an A256GCM authentication tag in base64url. */
const CACHE_KEY_LENGTH = 22;

const signedOut: LoadedSession = { token: null, session: null };

/** Reads the session of a request, slides the expiry of its cookie, and keeps its tokens fresh. */
@Injectable()
export class SessionService {
  private readonly logger = new Logger('Session');
  private readonly cookie: SessionCookie;
  private readonly decryptedCookies = new LRUCache<string, { value: string; token: OpenSession }>({
    max: MAX_DECRYPTED_COOKIES,
  });

  /** by `jti` */
  private readonly rememberedEnds = new LRUCache<string, SessionEnded>({ max: MAX_REMEMBERED_ENDS });

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.cookie = new SessionCookie(options.sessionCookie, (value) => this.decrypted(value) !== null);
  }

  /**
   * Returns the session of the request, or `null`. Reads the cookie once per request and never calls the provider.
   * Sets the cookie on the response when its expiry has to slide.
   */
  async load(request: AuthenticatedRequest, response: HttpResponse): Promise<Session | null> {
    return (await this.loadOnce(request, response)).session;
  }

  /**
   * As `load`, and refreshes the tokens and reloads the user when that is due. When the provider cannot be reached, the session stays
   * as it is.
   *
   * @throws `SessionEnded` when the provider has ended the session; `SessionsUnavailable` when the revocation store does not answer
   */
  async loadFresh(request: AuthenticatedRequest, response: HttpResponse): Promise<Session | null> {
    const loaded = await this.loadOnce(request, response);
    const problem = loaded.unavailable ?? loaded.ended;
    if (problem) throw problem;
    return this.isRefreshDue(loaded.token) || this.isReloadDue(loaded.token)
      ? this.refreshAndReload(request, response)
      : loaded.session;
  }

  /** Treats the request as one without a session cookie: its other credentials alone count. */
  ignoreCookie(request: AuthenticatedRequest): null {
    stateOf(request).loaded = signedOut;
    return (request.session = null);
  }

  /** Why the session ended whose cookie the request still carries; `undefined` without such a cookie, or while the session lives. */
  async endOf(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionEnd | undefined> {
    return (await this.loadOnce(request, response)).ended?.reason;
  }

  /** Returns the content of the session cookie, tokens included: for calls of the server, never for a response body. */
  async token(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    return (await this.loadAvailable(request, response)).token;
  }

  /**
   * As `token`, with an access token that is not due for a refresh.
   *
   * @throws `ProviderUnavailable` or `SessionEnded` when there is none
   */
  async freshToken(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    return (await this.loadRefreshed(request, response)).token;
  }

  /**
   * Refreshes the tokens, due or not: for callers whose access token the provider has rejected.
   *
   * @throws as `freshToken`
   */
  async renewedToken(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    const loaded = await this.loadAvailable(request, response);
    return loaded.token && (await this.refresh(loaded, request, response)).token;
  }

  /**
   * Replaces the content of the session by the result of `change`, which receives an access token that is not due for a refresh.
   * Returns `null` when nobody is signed in.
   *
   * @throws as `freshToken`, and what `change` throws; its `SessionEnded` ends the session
   */
  async replace(
    request: AuthenticatedRequest,
    response: HttpResponse,
    change: (token: SessionToken) => Promise<SessionToken>,
  ): Promise<Session | null> {
    const loaded = await this.loadRefreshed(request, response);
    if (!loaded.token) return null;
    const { session } = await this.change(loaded, change, request, response);
    request.session = session;
    return session;
  }

  /**
   * Changes the content of the session: the `jwt` callback receives `data` with `trigger: 'update'`, as in Auth.js. Returns `null`
   * when nobody is signed in.
   *
   * @throws `SessionsUnavailable`
   */
  async update(
    request: AuthenticatedRequest,
    response: HttpResponse,
    data: unknown,
  ): Promise<Session | null> {
    const { token } = await this.loadAvailable(request, response);
    if (!token) return null;
    const changed = await this.callJwt(token, { trigger: 'update', session: data });
    if (!changed) {
      this.signOutBrowser(request, response);
      return null;
    }
    const { sealed, lines } = this.setCookie(changed, token, request, response);
    // Tokens that were refreshed meanwhile do not count: a later request finds them, and the changed content would be lost.
    this.unsetIf(() => this.options.reload?.isSuperseded?.(sealed) === true, sealed, lines, response);
    const loaded = await this.loadedFrom(sealed);
    stateOf(request).loaded = loaded;
    return loaded.session;
  }

  /**
   * Ends the session: deletes its cookie and revokes its `jti`, which makes copies of the cookie worthless. Returns the content of the
   * session, or `null` when it had ended before. When the revocation store fails, that is logged, and the browser is signed out anyway.
   */
  async end(request: AuthenticatedRequest, response: HttpResponse): Promise<SessionToken | null> {
    const token = await this.liveToken(request);
    this.signOutBrowser(request, response);
    if (token) await this.revoke(token);
    return token;
  }

  /**
   * Returns the content of the cookie, also of a session that was ended before its expiry; `null` when no cookie can be decrypted. Only
   * for a sign-out, which needs the ID token as hint: it grants no access.
   */
  lastToken(request: HttpRequest): SessionToken | null {
    return this.decrypted(this.cookie.read(request));
  }

  /** Ends the session that the request carries, and returns its content: the response sets the cookie of a new sign-in. */
  async endReplaced(request: HttpRequest, response: HttpResponse): Promise<SessionToken | null> {
    const token = await this.liveToken(request);
    this.cookie.deleteFormer(request, response);
    if (token) await this.revoke(token);
    return token;
  }

  /** The content of the cookie, unless the session is known to have ended. */
  private async liveToken(request: HttpRequest): Promise<OpenSession | null> {
    const token = this.decrypted(this.cookie.read(request));
    try {
      return token && !(await this.options.revocations.isRevoked(token)) ? token : null;
    } catch {
      return token;
    }
  }

  /** Resolves to whether this call ended the session; `false` when another instance did so first. */
  private async revoke(token: OpenSession): Promise<boolean> {
    this.options.discard?.(token);
    try {
      return (await this.options.revocations.revoke(token)) !== false;
    } catch (error) {
      this.logger.error(
        `Could not store the end of a session: a copied cookie works until it expires\n${describeError(error)}`,
      );
      return true;
    }
  }

  private signOutBrowser(request: AuthenticatedRequest, response: HttpResponse) {
    this.cookie.delete(request, response);
    stateOf(request).loaded = signedOut;
    request.session = null;
  }

  private async loadAvailable(request: HttpRequest, response: HttpResponse): Promise<LoadedSession> {
    const loaded = await this.loadOnce(request, response);
    if (loaded.unavailable) throw loaded.unavailable;
    return loaded;
  }

  private loadOnce(request: HttpRequest, response: HttpResponse): LoadedSession | Promise<LoadedSession> {
    const state = stateOf(request);
    return (state.loaded ??= this.read(request, response));
  }

  private async refreshAndReload(
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<Session | null> {
    try {
      const loaded = await this.loadRefreshed(request, response);
      return (await this.reload(loaded, request, response)).session;
    } catch (error) {
      if (!isProviderUnavailable(error)) throw error;
      const loaded = await this.loadOnce(request, response);
      const { token } = loaded;
      const hasToSlide = token !== null && this.isSlideDue(token) && this.isRefreshDue(token);
      return hasToSlide
        ? await this.sessionOf(this.slideCookie(token, token, request, response))
        : loaded.session;
    }
  }

  private isRefreshDue(token: OpenSession | null): boolean {
    return token !== null && this.options.refresh?.isDue(token) === true;
  }

  private isReloadDue(token: OpenSession | null): boolean {
    return token !== null && this.options.reload?.isDue(token) === true;
  }

  private async loadRefreshed(request: AuthenticatedRequest, response: HttpResponse): Promise<LoadedSession> {
    const loaded = await this.loadAvailable(request, response);
    if (loaded.ended) throw loaded.ended;
    return this.isRefreshDue(loaded.token) ? this.refresh(loaded, request, response) : loaded;
  }

  private async reload(
    loaded: LoadedSession,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    const { reload } = this.options;
    return reload && this.isReloadDue(loaded.token)
      ? this.change(loaded, (token) => reload.reload(token), request, response)
      : loaded;
  }

  private async refresh(
    loaded: LoadedSession,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    const { refresh } = this.options;
    if (!refresh) throw new SessionEnded('no_refresh');
    return this.change(loaded, (token) => refresh.refresh(token), request, response);
  }

  private async change(
    loaded: LoadedSession,
    makeNew: (token: SessionToken) => Promise<SessionToken>,
    request: AuthenticatedRequest,
    response: HttpResponse,
  ): Promise<LoadedSession> {
    // Every caller has checked that there is a token.
    const token = loaded.token as OpenSession;
    try {
      const made = await makeNew(token);
      if (made === token) return loaded;
      const changed = await this.storeChanged(made, token, request, response);
      stateOf(request).loaded = changed;
      return changed;
    } catch (error) {
      if (!isSessionEnded(error)) throw error;
      const isReported = this.rememberedEnds.has(token.jti);
      this.rememberedEnds.set(token.jti, error);
      stateOf(request).loaded = { ...signedOut, ended: error };
      request.session = null;
      const isFirst = await this.revoke(token);
      // Only the first of concurrent requests deletes the cookie: a newer sign-in may already have replaced it before a later response.
      if (isFirst) this.cookie.delete(request, response);
      if (isFirst && !isReported) this.reportEnd(token, error, request);
      throw error;
    }
  }

  private reportEnd(token: OpenSession, ended: SessionEnded, request: HttpRequest) {
    const { observer } = this.options;
    if (observer) observer.sessionEnded(token, ended, request);
    else this.logger.warn(`A session has ended, its user has to sign in again\n${describeError(ended)}`);
  }

  /** Ends a session that cannot hold its new content: the provider accepts the old tokens no longer. */
  private async storeChanged(
    token: SessionToken,
    before: OpenSession,
    request: HttpRequest,
    response: HttpResponse,
  ) {
    try {
      return await this.loadedFrom(this.slideCookie(token, before, request, response));
    } catch (cause) {
      throw new SessionEnded('unusable', { cause });
    }
  }

  /** Never rejects. A cookie whose content the callbacks cannot use, as of an older version of the program, signs the browser out. */
  private async read(request: HttpRequest, response: HttpResponse): Promise<LoadedSession> {
    const value = this.cookie.read(request);
    if (!value) return signedOut;
    const opened = this.decrypted(value);
    if (!opened) {
      stateOf(request).isCookieUnreadable = true;
      return this.deleteCookie(request, response);
    }
    let isRevoked;
    try {
      isRevoked = await this.options.revocations.isRevoked(opened);
    } catch (cause) {
      this.logger.error(`Could not check whether a session was ended\n${describeError(cause)}`);
      return { ...signedOut, unavailable: new SessionsUnavailable({ cause }) };
    }
    if (isRevoked) {
      // Do not delete the cookie of an ended session: a newer sign-in may already have replaced it.
      this.options.discard?.(opened);
      return { ...signedOut, ended: this.rememberedEnds.get(opened.jti) ?? new SessionEnded('revoked') };
    }
    let callback = 'jwt';
    try {
      const token = await this.callJwt(opened);
      if (!token) return this.deleteCookie(request, response);
      // Never rewrite a cookie whose tokens are due: that could replace a cookie with newer tokens. Their refresh rewrites it.
      const hasToSlide = !this.isRefreshDue(opened) && (this.isSlideDue(opened) || !hasPortInside(opened));
      const isKept = !hasToSlide && isUnchanged(token, opened);
      const current = isKept ? opened : this.slideCookie(token, opened, request, response);
      callback = 'session';
      const loaded = { token: current, session: await this.sessionOf(current) };
      if (this.options.events.session) await this.reportRead(loaded);
      return loaded;
    } catch (error) {
      const rule = isAboutFrozen(error) ? '. It must not change what it is given, but a copy' : '';
      this.logger.error(
        `Could not use the content of a session cookie in the callback \`${callback}\`${rule}: the cookie is deleted, its user has to sign in again\n${describeError(error)}`,
      );
      return this.deleteCookie(request, response);
    }
  }

  /** As in Auth.js: an event handler that fails is logged, and the request goes on. */
  private async reportRead({ session, token }: LoadedSession) {
    const message = { session, token } as unknown as Parameters<SessionEvent>[0];
    try {
      await this.options.events.session?.(message);
    } catch (error) {
      this.logger.error(`The event handler \`session\` failed\n${describeError(error)}`);
    }
  }

  private deleteCookie(request: HttpRequest, response: HttpResponse): LoadedSession {
    this.cookie.delete(request, response);
    return signedOut;
  }

  /**
   * Encrypts the session of a sign-in, which the next request has not to decrypt. A `jti` or `start` in it is a claim of the provider.
   *
   * @throws `SessionTooLarge`
   */
  sealed(token: SessionToken | undefined): string {
    const sealed = this.options.seal({
      ...token,
      jti: undefined,
      start: undefined,
    } as unknown as SessionToken);
    // The callbacks may keep parts of `token`, which must not be frozen.
    this.remember(sealed.value, JSON.parse(JSON.stringify(sealed.token)) as OpenSession);
    return sealed.value;
  }

  private remember(value: string, token: OpenSession) {
    this.decryptedCookies.set(value.slice(-CACHE_KEY_LENGTH), { value, token: deepFrozen(token) });
  }

  private decrypted(value: string): OpenSession | null {
    // The authentication tag at the end is the cache key: a hash of the whole cookie would take longer than the rest of this method.
    const cached = this.decryptedCookies.get(value.slice(-CACHE_KEY_LENGTH));
    if (cached?.value === value) {
      if (!expiries.has(cached.token)) expiries.set(cached.token, expiryOf(cached.token));
      return isExpired(cached.token) ? null : cached.token;
    }
    const token = this.options.codec.open(value);
    if (token) this.remember(value, token);
    return token;
  }

  /**
   * Sets the cookie with `token` and a new expiry. Removes it from the response again when, by the time the headers are sent, the session
   * was ended, another request has refreshed its tokens, or a new expiry alone would make the headers longer than a proxy forwards: the
   * next response slides the expiry.
   */
  private slideCookie(
    token: SessionToken,
    before: OpenSession,
    request: HttpRequest,
    response: HttpResponse,
  ): OpenSession {
    const { sealed, lines } = this.setCookie(token, before, request, response);
    const isSlideAlone = isUnchanged(token, before);
    const isTooLong = () => isSlideAlone && hasLongField(response, lines);
    this.unsetIf(() => isTooLong() || this.isSuperseded(sealed), sealed, lines, response);
    return sealed;
  }

  /** Removes a cookie from the response again when, by the time the headers are sent, its session was ended, or the condition holds. */
  private unsetIf(
    condition: () => boolean,
    sealed: OpenSession,
    lines: readonly string[],
    response: HttpResponse,
  ) {
    onHeaders(response, () => {
      if (condition() || this.isKnownToBeRevoked(sealed)) this.cookie.unset(response, lines);
    });
  }

  private isSuperseded(token: OpenSession): boolean {
    const { refresh, reload } = this.options;
    return refresh?.isSuperseded?.(token) === true || reload?.isSuperseded?.(token) === true;
  }

  /** Must stay synchronous: it runs while the headers are sent. A store that answers later, or fails, counts as "not revoked". */
  private isKnownToBeRevoked(token: OpenSession): boolean {
    const { revocations } = this.options;
    try {
      if (revocations.isKnownToBeRevoked) return revocations.isKnownToBeRevoked(token);
      const answer = revocations.isRevoked(token);
      if (answer instanceof Promise) answer.catch(() => undefined);
      return answer === true;
    } catch {
      return false;
    }
  }

  /** Callbacks may not change `jti` and `start`: both identify the session that an end refers to. */
  private setCookie(token: SessionToken, before: OpenSession, request: HttpRequest, response: HttpResponse) {
    const { jti, start } = before;
    const sealed = this.options.seal({ ...token, jti, start });
    const lines = this.cookie.write(request, response, sealed.value, sealed.token.exp - Date.now() / 1000);
    return { sealed: deepFrozen(sealed.token), lines };
  }

  private callJwt(
    token: SessionToken,
    params: { trigger?: 'update'; session?: unknown } = {},
  ): SessionToken | null | PromiseLike<SessionToken | null> {
    const { jwt } = this.options.callbacks;
    return jwt ? jwt({ token: { ...token }, ...params } as Parameters<typeof jwt>[0]) : token;
  }

  private async loadedFrom(token: OpenSession): Promise<LoadedSession> {
    return { token, session: await this.sessionOf(token) };
  }

  private sessionOf(token: OpenSession): Session | PromiseLike<Session> {
    const user: AuthUserBase = {
      id: token.sub ?? '',
      name: token.name ?? null,
      email: token.email ?? null,
      image: token.picture ?? null,
    };
    if (token['roles'] !== undefined) user.roles = token['roles'] as string[];
    // A program that augments these types sets its members in the session callback.
    const session = { user, expires: expiryOf(token) } as Session;
    const callback = this.options.callbacks.session;
    if (!callback) return session;
    const params = { session, token } as unknown as Parameters<typeof callback>[0];
    return callback(params) as Session | PromiseLike<Session>;
  }

  private isSlideDue({ iat }: OpenSession): boolean {
    const interval = Math.min(SLIDE_MAX_SECONDS, this.options.maxAgeSeconds * SLIDE_SHARE);
    return Date.now() / 1000 - iat >= interval;
  }
}

/** Of sessions read before, because `toISOString` is a sixth of the cost of reading one. */
const expiries = new WeakMap<OpenSession, string>();

const expiryOf = (token: OpenSession): string =>
  expiries.get(token) ?? new Date(token.exp * 1000).toISOString();

type SessionEvent = NonNullable<ResolvedAuthOptions['events']['session']>;

/** Members of a session that this module sets, whatever a callback returns. */
const ownMembers = new Set(['jti', 'start', 'iat', 'exp', 'originPort']);

/** Whether the `jwt` callback returned what it was given. */
function isUnchanged(returned: SessionToken, opened: OpenSession): boolean {
  return hasMembersOf(returned, opened) && hasMembersOf(opened, returned);
}

function hasMembersOf(one: SessionToken, other: SessionToken): boolean {
  for (const name in other) if (one[name] !== other[name] && !ownMembers.has(name)) return false;
  return true;
}

/** Whether code has tried to change what is frozen. */
const isAboutFrozen = (error: unknown) =>
  error instanceof TypeError && /not extensible|read only|Cannot delete/.test(error.message);

/** Freezes what several requests share: JSON, whose objects have members of their own only. */
export function deepFrozen<T extends object>(value: T): T {
  // Neither `Object.values` nor an iterator: both cost more than the freezing.
  if (Array.isArray(value)) for (let index = 0; index < value.length; index++) freezeMember(value[index]);
  else for (const name in value) freezeMember(value[name]);
  return Object.freeze(value);
}

function freezeMember(member: unknown) {
  if (typeof member === 'object' && member !== null) deepFrozen(member);
}
