import { serialize, type SerializeOptions } from 'cookie';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { stateOf } from '../http/request-state.js';
import { getHeader, setHeader } from '../http/raw-response.js';
import type { CookieSpec } from './cookie-spec.js';

/** Browsers drop a cookie above 4096 bytes, name and attributes included (RFC 6265bis 5.6). */
export const CHUNK_LENGTH = 3936;

/** The session cookie of a person with few roles, this, and the other headers of a page stay below 4 KB. */
const MAX_FIELD_LENGTH = 500;

/** Reads and writes the session cookie, split as Auth.js splits it: `name`, or `name.0`, `name.1`, … */
export class SessionCookie {
  /** @param isOwn whether a value under the former name was set by this application, and not by another on the same host */
  constructor(
    private readonly spec: CookieSpec,
    private readonly isOwn: (value: string) => boolean,
  ) {}

  /** Returns the joined value, or an empty string. */
  read(request: HttpRequest): string {
    return this.valueOf(this.spec.name, request) || this.formerValue(request);
  }

  /** Sets the cookie on the response. Returns the `Set-Cookie` lines, for `unset`. */
  write(request: HttpRequest, response: HttpResponse, value: string, maxAgeSeconds: number): string[] {
    this.delete(request, response);
    const options = { ...this.spec.options, maxAge: Math.ceil(maxAgeSeconds) };
    return [...cookiesOf(this.spec.name, value)].map(([name, chunk]) =>
      setCookie(response, name, chunk, options),
    );
  }

  /** Deletes the cookie in the browser: every chunk that the request carried or that this response would set. */
  delete(request: HttpRequest, response: HttpResponse) {
    const pending = setCookies(response).map((line) => [line.slice(0, line.indexOf('=')), ''] as const);
    const carried = { ...stateOf(request).cookies, ...Object.fromEntries(pending) };
    this.deleteNames(namesIn(carried, this.spec.name), response);
    this.deleteFormer(request, response);
  }

  /** Deletes the cookie that an older version of this application has set. */
  deleteFormer(request: HttpRequest, response: HttpResponse) {
    const { formerName } = this.spec;
    if (formerName !== undefined && this.formerValue(request))
      this.deleteNames(namesIn(stateOf(request).cookies, formerName), response);
  }

  /** Removes lines that `write` has added from the response, unless others have replaced them. */
  unset(response: HttpResponse, lines: readonly string[]) {
    setHeader(
      response,
      'set-cookie',
      setCookies(response).filter((line) => !lines.includes(line)),
    );
  }

  private formerValue(request: HttpRequest): string {
    const { formerName } = this.spec;
    const value = formerName === undefined ? '' : this.valueOf(formerName, request);
    return value && this.isOwn(value) ? value : '';
  }

  private valueOf(cookieName: string, request: HttpRequest): string {
    const { cookies } = stateOf(request);
    return (
      cookies[cookieName] ??
      chunkNames(cookies, cookieName)
        .map((name) => cookies[name])
        .join('')
    );
  }

  private deleteNames(names: readonly string[], response: HttpResponse) {
    for (const name of names) setCookie(response, name, '', { ...this.spec.options, maxAge: 0 });
  }
}

/** The cookies of a session, by their names. */
export function cookiesOf(name: string, value: string): Map<string, string> {
  if (value.length <= CHUNK_LENGTH) return new Map([[name, value]]);
  const count = Math.ceil(value.length / CHUNK_LENGTH);
  return new Map(
    Array.from({ length: count }, (_, index) => [
      `${name}.${index}`,
      value.slice(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH),
    ]),
  );
}

type Carried = Readonly<Record<string, string | undefined>>;

function namesIn(cookies: Carried, cookieName: string): string[] {
  const chunks = chunkNames(cookies, cookieName);
  return cookies[cookieName] === undefined ? chunks : [cookieName, ...chunks];
}

function chunkNames(cookies: Carried, cookieName: string): string[] {
  const prefix = `${cookieName}.`;
  return Object.keys(cookies)
    .filter((name) => name.startsWith(prefix) && /^\d{1,2}$/.test(name.slice(prefix.length)))
    .sort((a, b) => Number(a.slice(prefix.length)) - Number(b.slice(prefix.length)));
}

/** Adds a `Set-Cookie` line, which replaces an earlier one of that name on the same response. Returns the line. */
export function setCookie(
  response: HttpResponse,
  name: string,
  value: string,
  options: SerializeOptions,
): string {
  const line = serialize(name, value, options);
  addSetCookie(response, line);
  return line;
}

/** Adds a `Set-Cookie` line, which replaces an earlier one of that name on the same response. */
export function addSetCookie(response: HttpResponse, line: string) {
  const start = line.slice(0, line.indexOf('=') + 1);
  const others = setCookies(response).filter((other) => !other.startsWith(start));
  setHeader(response, 'set-cookie', [...others, line]);
}

/** Whether the response has a `Location` or a cookie, other than `lines`, beside which a session cookie exceeds nginx's 4 KB of headers. */
export const hasLongField = (response: HttpResponse, lines: readonly string[]): boolean =>
  [getHeader(response, 'location') ?? '', ...setCookies(response)].some(
    (field) => String(field).length > MAX_FIELD_LENGTH && !lines.includes(String(field)),
  );

const setCookies = (response: HttpResponse): string[] =>
  [getHeader(response, 'set-cookie') ?? []].flat().map(String);
