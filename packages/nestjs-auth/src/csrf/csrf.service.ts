import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CrossSiteRequest, CsrfCookieMissing, CsrfTokenInvalid } from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { isPageRequest } from '../http/request-facts.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/** Carries the token of a script, in lower case. */
const CSRF_HEADER = 'x-csrf-token';

/**
 * Signed double-submit token: the same value in a cookie and in every form. The cookie has the format of Auth.js
 * (`token|sha256(token + secret)`), with a signature by a single secret: Auth.js signs with all secrets joined, so that each secret
 * rotation would invalidate open forms.
 */
@Injectable()
export class CsrfService {
  /** by the value of the cookie: only those with a valid signature */
  private readonly verified = new LRUCache<string, VerifiedToken>({ max: 1_000 });

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {}

  /** Returns the token for the form field `csrfToken` or the header `X-CSRF-Token`. Sets the cookie when the browser has none, or one signed by an older secret. */
  token(request: HttpRequest, response: HttpResponse): string {
    const state = stateOf(request);
    if (state.csrfToken !== undefined) return state.csrfToken;
    const verified = this.verifiedIn(request);
    const token = verified?.token ?? randomBytes(32).toString('hex');
    const { name, options } = this.options.csrfCookie;
    if (!verified?.isSignedByCurrent || !state.cookies[name])
      setCookie(response, name, `${token}|${this.signatures(token)[0]}`, options);
    state.csrfToken = token;
    return token;
  }

  /** Returns the token of this browser, if it has one. */
  known(request: HttpRequest): string | undefined {
    return this.verifiedIn(request)?.token ?? stateOf(request).csrfToken;
  }

  /**
   * Compares the header `X-CSRF-Token`, or without it the field `csrfToken` of the body, with the cookie.
   *
   * @throws `CsrfCookieMissing` without a cookie; `CsrfTokenInvalid` when they differ; `CrossSiteRequest` as `verifyOrigin`
   */
  verify(request: HttpRequest) {
    this.verifyOrigin(request);
    const expected = this.verifiedIn(request)?.token;
    const given =
      request.headers[CSRF_HEADER] ?? (request.body as { csrfToken?: unknown } | undefined)?.csrfToken;
    if (!expected && stateOf(request).cookies[this.options.csrfCookie.name] === undefined)
      throw new CsrfCookieMissing();
    if (!expected || typeof given !== 'string' || !equal(given, expected))
      throw new CsrfTokenInvalid(
        { csrf: given === undefined ? 'no token' : 'another token' },
        isPageRequest(request.headers)
          ? undefined
          : `The CSRF token is missing, or is that of another browser. Send the header X-CSRF-Token with the token of GET ${this.options.basePath}/csrf, and the cookie of that answer`,
      );
  }

  /** @throws `CrossSiteRequest` when `Sec-Fetch-Site` (Fetch Metadata) or `Origin` (RFC 6454) name another site */
  verifyOrigin({ headers }: HttpRequest) {
    const site = headers['sec-fetch-site'];
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    const isForeignOrigin = headers.origin !== undefined && headers.origin !== this.options.origin;
    if (isForeignSite || isForeignOrigin)
      throw new CrossSiteRequest(this.options.origin, { origin: headers.origin, site: site?.toString() });
  }

  /** A form rendered by an older version of the program has its token in the cookie with the former name. */
  private verifiedIn(request: HttpRequest): VerifiedToken | undefined {
    const { cookies } = stateOf(request);
    const { name, formerName = '' } = this.options.csrfCookie;
    return this.verifiedToken(cookies[name]) ?? this.verifiedToken(cookies[formerName]);
  }

  private verifiedToken(cookie: string | undefined): VerifiedToken | undefined {
    if (!cookie) return undefined;
    const cached = this.verified.get(cookie);
    if (cached) return cached;
    const [token, signed] = cookie.split(/\||%7C/);
    if (!token || !signed) return undefined;
    const index = this.signatures(token).findIndex((signature) => equal(signed, signature));
    if (index === -1) return undefined;
    const verified = { token, isSignedByCurrent: index === 0 };
    this.verified.set(cookie, verified);
    return verified;
  }

  private signatures(token: string): string[] {
    const { secrets } = this.options;
    // Auth.js signs with the joined secrets, in the pages that it renders itself.
    return [...secrets, secrets.join()].map((secret) =>
      createHash('sha256').update(`${token}${secret}`).digest('hex'),
    );
  }
}

interface VerifiedToken {
  token: string;
  isSignedByCurrent: boolean;
}

function equal(a: string, b: string) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
