import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CrossSiteRequest, CsrfTokenInvalid } from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/**
 * Signed double-submit token: a cookie the browser keeps, and the same value in every form. The cookie is the one
 * Auth.js makes and checks for its own forms (`token|sha256(token + secret)`), so both accept each other's.
 */
@Injectable()
export class CsrfService {
  /** cookie value → token, for those whose signature was right */
  private readonly verified = new LRUCache<string, string>({ max: 1_000 });

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  /** The token to render into a form as `csrfToken`. Sets the cookie when the browser has none. */
  token(request: HttpRequest, response: HttpResponse): string {
    const known = this.known(request);
    if (known) return known;
    const token = randomBytes(32).toString('hex');
    const { name, options } = this.options.csrfCookie;
    setCookie(response, name, `${token}|${this.signatures(token)[0]}`, options);
    stateOf(request).csrfToken = token;
    return token;
  }

  /** The token of this browser, if it has one. */
  known(request: HttpRequest): string | undefined {
    return this.tokenIn(request) ?? stateOf(request).csrfToken;
  }

  /**
   * Throws `CsrfTokenInvalid` unless the body's `csrfToken` is the one in the cookie, and `CrossSiteRequest` as
   * `verifyOrigin` does.
   */
  verify(request: HttpRequest) {
    this.verifyOrigin(request);
    const expected = this.tokenIn(request);
    const given = (request.body as { csrfToken?: unknown } | undefined)?.csrfToken;
    if (!expected || typeof given !== 'string' || !equal(given, expected)) throw new CsrfTokenInvalid();
  }

  /** Throws `CrossSiteRequest` when the browser says that another site made it send this (Fetch Metadata, RFC 6454). */
  verifyOrigin({ headers }: HttpRequest) {
    const site = headers['sec-fetch-site'];
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    const isForeignOrigin = headers.origin !== undefined && headers.origin !== this.options.origin;
    if (isForeignSite || isForeignOrigin) throw new CrossSiteRequest(this.options.origin);
  }

  private tokenIn(request: HttpRequest): string | undefined {
    const cookie = stateOf(request).cookies[this.options.csrfCookie.name];
    if (!cookie) return undefined;
    const known = this.verified.get(cookie);
    if (known) return known;
    const [token, signed] = cookie.split(/\||%7C/);
    if (!token || !signed || !this.signatures(token).some((signature) => equal(signed, signature)))
      return undefined;
    this.verified.set(cookie, token);
    return token;
  }

  /** Auth.js signs with all secrets. Those of the time before a secret was put in front of the list count, too. */
  private signatures(token: string): string[] {
    const { secrets } = this.options;
    return secrets.map((_, index) =>
      createHash('sha256')
        .update(`${token}${secrets.slice(index).join()}`)
        .digest('hex'),
    );
  }
}

function equal(a: string, b: string) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
