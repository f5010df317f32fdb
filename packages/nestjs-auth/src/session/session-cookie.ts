import { serialize, type SerializeOptions } from 'cookie';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { stateOf } from '../http/request-state.js';
import { rawResponse } from '../http/raw-response.js';
import type { CookieSpec } from '../resolved-auth-options.js';

/** Browsers drop a cookie above 4096 bytes, name and attributes included (RFC 6265bis 5.6). */
export const CHUNK_LENGTH = 3936;

/** Reads and writes the session cookie, split as Auth.js splits it: `name`, or `name.0`, `name.1`, … */
export class SessionCookie {
  constructor(private readonly spec: CookieSpec) {}

  /** The joined value, or an empty string. */
  read(request: HttpRequest): string {
    const cookies = stateOf(request).cookies;
    return this.namesIn(cookies)
      .map((name) => cookies[name])
      .join('');
  }

  write(request: HttpRequest, response: HttpResponse, value: string, maxAgeSeconds: number) {
    const chunks = this.chunks(value);
    this.remove(request, response);
    for (const [name, chunk] of chunks) {
      setCookie(response, name, chunk, { ...this.spec.options, maxAge: Math.ceil(maxAgeSeconds) });
    }
  }

  /** Deletes the cookie in the browser: every chunk the request carried or this answer was about to set. */
  remove(request: HttpRequest, response: HttpResponse) {
    const pending = setCookies(response).map((line) => [line.slice(0, line.indexOf('=')), ''] as const);
    const names = this.namesIn({ ...stateOf(request).cookies, ...Object.fromEntries(pending) });
    for (const name of names) setCookie(response, name, '', { ...this.spec.options, maxAge: 0 });
  }

  /** Takes back what this answer was about to set, and leaves the browser what it has. */
  unset(response: HttpResponse) {
    const { name } = this.spec;
    const isOurs = new RegExp(`^${name.replaceAll('.', '\\.')}(\\.\\d+)?=`);
    rawResponse(response).setHeader(
      'set-cookie',
      setCookies(response).filter((line) => !isOurs.test(line)),
    );
  }

  private namesIn(cookies: Readonly<Record<string, string | undefined>>): string[] {
    const { name } = this.spec;
    if (cookies[name] !== undefined) return [name, ...this.chunkNames(cookies)];
    return this.chunkNames(cookies);
  }

  private chunkNames(cookies: Readonly<Record<string, string | undefined>>): string[] {
    const prefix = `${this.spec.name}.`;
    return Object.keys(cookies)
      .filter((name) => name.startsWith(prefix) && /^\d{1,2}$/.test(name.slice(prefix.length)))
      .sort((a, b) => Number(a.slice(prefix.length)) - Number(b.slice(prefix.length)));
  }

  private chunks(value: string): Map<string, string> {
    if (value.length <= CHUNK_LENGTH) return new Map([[this.spec.name, value]]);
    const count = Math.ceil(value.length / CHUNK_LENGTH);
    return new Map(
      Array.from({ length: count }, (_, index) => [
        `${this.spec.name}.${index}`,
        value.slice(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH),
      ]),
    );
  }
}

/** Adds a `Set-Cookie`, in place of an earlier one of that name on the same answer. */
export function setCookie(response: HttpResponse, name: string, value: string, options: SerializeOptions) {
  const others = setCookies(response).filter((line) => !line.startsWith(`${name}=`));
  rawResponse(response).setHeader('set-cookie', [...others, serialize(name, value, options)]);
}

const setCookies = (response: HttpResponse): string[] =>
  [rawResponse(response).getHeader('set-cookie') ?? []].flat().map(String);
