import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CrossSiteRequest, CsrfCookieMissing, CsrfTokenInvalid } from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/**
 * Signed double-submit token: a cookie the browser keeps, and the same value in every form. The cookie is like that of Auth.js
 * (`token|sha256(token + secret)`), but for one secret each: Auth.js signs with all of them joined, so that each change of
 * the list breaks the forms that are open.
 */
@Injectable()
export class CsrfService {
  /** by the value of the cookie, for those whose signature was right */
  private readonly verified = new LRUCache<string, VerifiedToken>({ max: 1_000 });

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  /** The token to render into a form as `csrfToken`. Sets the cookie when the browser has none, or one signed by an older secret. */
  token(request: HttpRequest, response: HttpResponse): string {
    const state = stateOf(request);
    if (state.csrfToken !== undefined) return state.csrfToken;
    const inCookie = this.verifiedIn(request);
    const token = inCookie?.token ?? randomBytes(32).toString('hex');
    const { name, options } = this.options.csrfCookie;
    if (!inCookie?.isSignedByFirst || !state.cookies[name])
      setCookie(response, name, `${token}|${this.signatures(token)[0]}`, options);
    state.csrfToken = token;
    return token;
  }

  /** The token of this browser, if it has one. */
  known(request: HttpRequest): string | undefined {
    return this.verifiedIn(request)?.token ?? stateOf(request).csrfToken;
  }

  /**
   * Throws `CsrfCookieMissing` where there is no cookie, `CsrfTokenInvalid` unless the body's `csrfToken` is the one in the cookie, and `CrossSiteRequest` as
   * `verifyOrigin` does.
   */
  verify(request: HttpRequest) {
    this.verifyOrigin(request);
    const expected = this.verifiedIn(request)?.token;
    const given = (request.body as { csrfToken?: unknown } | undefined)?.csrfToken;
    if (!expected && stateOf(request).cookies[this.options.csrfCookie.name] === undefined)
      throw new CsrfCookieMissing();
    if (!expected || typeof given !== 'string' || !equal(given, expected)) throw new CsrfTokenInvalid();
  }

  /** Throws `CrossSiteRequest` when the browser says that another site made it send this (Fetch Metadata, RFC 6454). */
  verifyOrigin({ headers }: HttpRequest) {
    const site = headers['sec-fetch-site'];
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    const isForeignOrigin = headers.origin !== undefined && headers.origin !== this.options.origin;
    if (isForeignSite || isForeignOrigin) throw new CrossSiteRequest(this.options.origin);
  }

  /** Of forms that an older version of the program has made, the token is in the cookie of the former name. */
  private verifiedIn(request: HttpRequest): VerifiedToken | undefined {
    const { cookies } = stateOf(request);
    const { name, formerName = '' } = this.options.csrfCookie;
    return this.verifiedToken(cookies[name]) ?? this.verifiedToken(cookies[formerName]);
  }

  private verifiedToken(cookie: string | undefined): VerifiedToken | undefined {
    if (!cookie) return undefined;
    const known = this.verified.get(cookie);
    if (known) return known;
    const [token, signed] = cookie.split(/\||%7C/);
    if (!token || !signed) return undefined;
    const index = this.signatures(token).findIndex((signature) => equal(signed, signature));
    if (index === -1) return undefined;
    const verified = { token, isSignedByFirst: index === 0 };
    this.verified.set(cookie, verified);
    return verified;
  }

  private signatures(token: string): string[] {
    const { secrets } = this.options;
    // The last is that of Auth.js, for pages that it draws itself.
    return [...secrets, secrets.join()].map((secret) =>
      createHash('sha256').update(`${token}${secret}`).digest('hex'),
    );
  }
}

interface VerifiedToken {
  token: string;
  isSignedByFirst: boolean;
}

function equal(a: string, b: string) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
