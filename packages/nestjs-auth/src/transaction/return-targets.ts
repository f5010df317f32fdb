import { hash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { Inject, Injectable } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { isPrefetch } from '../http/request-facts.js';
import { localPath } from '../http/local-path.js';
import { onHeaders, rawResponse, removeHeader } from '../http/raw-response.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/** A longer target would not fit into a response together with the cookies of a sign-in or a session. */
const MAX_INLINE_LENGTH = 200;

/** Together with the other headers of a redirect, a target and its cookie stay below the 4 KB that nginx forwards by default. */
const MAX_TARGET_LENGTH = 3_100;
const MAX_VALUE_LENGTH = 3_200;

/** Header fields of some 800 characters that apply to content, which a redirect does not have. */
const CONTENT_POLICIES = ['content-security-policy', 'permissions-policy'];

/**
 * Cookies with fixed names, one per tab: answers to requests at the same time overwrite each other's instead of adding up to a
 * `Cookie` header that a proxy refuses (nginx: 8 KB).
 */
const SLOTS = ['0', '1', '2'];
const MAX_TOTAL_LENGTH = 3_500;

const LIFETIME_SECONDS = 3_600;
const ID_LENGTH = 8;
/** As in `packed-tokens.ts`: the default level takes 40 times as long for the same size. */
const BROTLI_LEVEL = { [constants.BROTLI_PARAM_QUALITY]: 5 };

/**
 * Return targets with a long address. The address is stored in a cookie of the browser, and a short address of this module replaces it
 * in links, forms and redirects. The short address redirects to the long one after the sign-in.
 */
@Injectable()
export class ReturnTargets {
  private readonly prefix: string;

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.prefix = `${options.returnCookie.name}.`;
  }

  /**
   * The address that leads to `target`, a page of this application, after a sign-in: itself, or a short one where it is long.
   * `undefined` where it cannot be stored (too long, HEAD or prefetch), or where its cookie is gone. The response should be a redirect:
   * the cookie does not fit beside the header fields of a page.
   */
  addressFor(target: string, request: HttpRequest, response: HttpResponse): string | undefined {
    const given = this.idIn(target);
    if (given !== undefined) return this.storedIn(given, request) ? target : undefined;
    if (!this.isLong(target)) return target;
    const id = idOf(target);
    if (this.storedIn(id, request)) return this.shortAddress(id);
    const value = this.valueOf(target, request);
    if (value === undefined) return undefined;
    const stored = this.freeName(request);
    let length = value.length;
    for (const [name, other] of this.cookiesIn(request).reverse()) {
      if (name === stored) continue;
      length += other.length;
      if (length > MAX_TOTAL_LENGTH) this.deleteCookie(name, response);
    }
    const { options } = this.options.returnCookie;
    setCookie(response, stored, value, { ...options, maxAge: LIFETIME_SECONDS });
    this.makeRoom(response);
    return this.shortAddress(id);
  }

  /** Removes header fields without effect from a redirect, so that a long address fits. */
  makeRoom(response: HttpResponse) {
    const raw = rawResponse(response);
    onHeaders(response, () => {
      if (raw.statusCode >= 300 && raw.statusCode < 400)
        for (const name of CONTENT_POLICIES) removeHeader(response, name);
    });
  }

  /** Whether an address has to be stored in a cookie. */
  isLong(target: string): boolean {
    return target.length > MAX_INLINE_LENGTH;
  }

  /** The target of a short address, whose cookie is deleted, or the default page. */
  redeem(id: string, request: HttpRequest, response: HttpResponse): string {
    const stored = this.storedIn(id, request);
    if (!stored) return this.options.defaultReturnTo;
    this.deleteCookie(stored.name, response);
    this.makeRoom(response);
    return stored.target;
  }

  /** Characters of these cookies, names included. */
  lengthIn(request: HttpRequest): number {
    return this.cookiesIn(request).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  private shortAddress(id: string): string {
    return `${this.path}?to=${id}`;
  }

  private get path(): string {
    return `${this.options.basePath}/return`;
  }

  private idIn(target: string): string | undefined {
    const { pathname, searchParams } = new URL(target, this.options.origin);
    return pathname === this.path ? (searchParams.get('to') ?? '') : undefined;
  }

  private valueOf(target: string, { method, headers }: HttpRequest): string | undefined {
    if (target.length > MAX_TARGET_LENGTH || method === 'HEAD' || isPrefetch(headers)) return undefined;
    const value = brotliCompressSync(target, { params: BROTLI_LEVEL }).toString('base64url');
    return value.length > MAX_VALUE_LENGTH ? undefined : value;
  }

  /** A free slot, else the oldest: browsers send older cookies first (RFC 6265 5.4). */
  private freeName(request: HttpRequest): string {
    const used = this.cookiesIn(request).map(([name]) => name);
    const names = SLOTS.map((slot) => this.prefix + slot);
    return names.find((name) => !used.includes(name)) ?? used[0] ?? '';
  }

  private storedIn(id: string, request: HttpRequest): { name: string; target: string } | undefined {
    for (const [name, value] of this.cookiesIn(request)) {
      const target = this.targetIn(value);
      if (target !== undefined && idOf(target) === id) return { name, target };
    }
    return undefined;
  }

  private targetIn(value: string): string | undefined {
    try {
      const bytes = Buffer.from(value, 'base64url');
      const target = brotliDecompressSync(bytes, { maxOutputLength: MAX_TARGET_LENGTH }).toString();
      const local = localPath(target, this.options.origin, this.options.mountPath);
      return local !== undefined && this.idIn(local) === undefined ? local : undefined;
    } catch {
      return undefined;
    }
  }

  /** Oldest first. */
  private cookiesIn(request: HttpRequest): [name: string, value: string][] {
    const names = SLOTS.map((slot) => this.prefix + slot);
    return Object.entries(stateOf(request).cookies).flatMap(([name, value]) =>
      value !== undefined && names.includes(name) ? [[name, value] as [string, string]] : [],
    );
  }

  private deleteCookie(name: string, response: HttpResponse) {
    setCookie(response, name, '', { ...this.options.returnCookie.options, maxAge: 0 });
  }
}

const idOf = (target: string) => hash('sha256', target, 'base64url').slice(0, ID_LENGTH);
