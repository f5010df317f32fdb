import { randomBytes } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { Inject, Injectable } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { localPath } from '../http/local-path.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';

/** A longer target would not fit into an answer beside the cookies of a sign-in or a session. */
const MAX_INLINE_LENGTH = 200;

/** With the other headers of an answer, targets and their cookies stay below the 4 KB that nginx passes by default. */
const MAX_TARGET_LENGTH = 2_400;
const MAX_VALUE_LENGTH = 2_400;

const LIFETIME_SECONDS = 3_600;
const ID_BYTES = 6;

/**
 * Where sign-ins end that began on a page with a long address. The address waits in a cookie of the browser; everything on the way has
 * a short one of this module in its place, which leads there at the end.
 */
@Injectable()
export class ReturnTargets {
  private readonly prefix: string;

  constructor(@Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions) {
    this.prefix = `${options.returnCookie.name}.`;
  }

  /**
   * What to come back to for `target`, a page of this application: itself, or where it is long a short address that leads to it. `undefined`
   * where the browser cannot be led there: it is too long for an answer, or its cookie is gone.
   */
  addressFor(target: string, request: HttpRequest, response: HttpResponse): string | undefined {
    const id = this.idIn(target);
    if (id !== undefined) return this.storedIn(id, request) === undefined ? undefined : target;
    if (!this.isLong(target)) return target;
    if (target.length > MAX_TARGET_LENGTH) return undefined;
    const value = brotliCompressSync(target).toString('base64url');
    if (value.length > MAX_VALUE_LENGTH) return undefined;
    // All cookies of a site share the 8 KB of a request: one waits at a time.
    for (const name of this.namesIn(request)) this.remove(name, response);
    const newId = randomBytes(ID_BYTES).toString('base64url');
    const { options } = this.options.returnCookie;
    setCookie(response, this.prefix + newId, value, { ...options, maxAge: LIFETIME_SECONDS });
    return `${this.path}?to=${newId}`;
  }

  /** Whether an address has to wait in a cookie. */
  isLong(target: string): boolean {
    return target.length > MAX_INLINE_LENGTH;
  }

  /** The page that a short address leads to, and the default page where that is not known any more. Its cookie is used up. */
  take(id: string, request: HttpRequest, response: HttpResponse): string {
    const target = this.storedIn(id, request);
    if (target === undefined) return this.options.defaultCallbackUrl;
    this.remove(this.prefix + id, response);
    return target;
  }

  /** Characters of the cookies of this kind, names included. */
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

  private remove(name: string, response: HttpResponse) {
    setCookie(response, name, '', { ...this.options.returnCookie.options, maxAge: 0 });
  }
}
