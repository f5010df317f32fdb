import { randomBytes } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { Inject, Injectable } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { localPath } from '../http/local-path.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/** A longer target would not fit into a response together with the cookies of a sign-in or a session. */
const MAX_INLINE_LENGTH = 200;

/** Together with the other response headers, a target and its cookie stay below the 4 KB that nginx forwards by default. */
const MAX_TARGET_LENGTH = 2_400;
const MAX_VALUE_LENGTH = 2_400;

const LIFETIME_SECONDS = 3_600;
const ID_BYTES = 6;

/**
 * Stores the long address of a page after sign-in in a cookie. During the sign-in a short address below the base path takes its place,
 * and redirects to it at the end.
 */
@Injectable()
export class ReturnTargets {
  private readonly prefix: string;

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.prefix = `${options.returnCookie.name}.`;
  }

  /**
   * Returns the address to use in place of `target`, a page of this application: `target` itself, or for a long one a short address that
   * redirects to it. `undefined` when that is impossible: `target` is too long for a response, or its cookie is gone.
   */
  addressFor(target: string, request: HttpRequest, response: HttpResponse): string | undefined {
    const id = this.idIn(target);
    if (id !== undefined) return this.storedIn(id, request) === undefined ? undefined : target;
    if (!this.isLong(target)) return target;
    if (target.length > MAX_TARGET_LENGTH) return undefined;
    const value = brotliCompressSync(target).toString('base64url');
    if (value.length > MAX_VALUE_LENGTH) return undefined;
    // All cookies of a site share the 8 KB of request headers: only one long target is stored at a time.
    for (const name of this.namesIn(request)) this.deleteCookie(name, response);
    const newId = randomBytes(ID_BYTES).toString('base64url');
    const { options } = this.options.returnCookie;
    setCookie(response, this.prefix + newId, value, { ...options, maxAge: LIFETIME_SECONDS });
    return `${this.path}?to=${newId}`;
  }

  /** Whether an address has to be stored in a cookie. */
  isLong(target: string): boolean {
    return target.length > MAX_INLINE_LENGTH;
  }

  /** Returns the page of a short address, or the default page when its cookie is gone. Deletes the cookie. */
  redeem(id: string, request: HttpRequest, response: HttpResponse): string {
    const target = this.storedIn(id, request);
    if (target === undefined) return this.options.defaultReturnTo;
    this.deleteCookie(this.prefix + id, response);
    return target;
  }

  /** Characters of these cookies in the request, names included. */
  lengthIn(request: HttpRequest): number {
    const { cookies } = stateOf(request);
    return this.namesIn(request).reduce((sum, name) => sum + name.length + (cookies[name] ?? '').length, 0);
  }

  private get path(): string {
    return `${this.options.basePath}/return`;
  }

  private idIn(target: string): string | undefined {
    const { pathname, searchParams } = new URL(target, this.options.origin);
    return pathname === this.path ? (searchParams.get('to') ?? '') : undefined;
  }

  private storedIn(id: string, request: HttpRequest): string | undefined {
    const value = stateOf(request).cookies[this.prefix + id] ?? '';
    try {
      const bytes = Buffer.from(value, 'base64url');
      const target = brotliDecompressSync(bytes, { maxOutputLength: MAX_TARGET_LENGTH }).toString();
      return localPath(target, this.options.origin, this.options.mountPath);
    } catch {
      return undefined;
    }
  }

  private namesIn(request: HttpRequest): string[] {
    return Object.keys(stateOf(request).cookies).filter((name) => name.startsWith(this.prefix));
  }

  private deleteCookie(name: string, response: HttpResponse) {
    setCookie(response, name, '', { ...this.options.returnCookie.options, maxAge: 0 });
  }
}
