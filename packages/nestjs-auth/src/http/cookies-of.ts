import type { IncomingHttpHeaders } from 'node:http';
import { parse, type Cookies } from 'cookie';

const parsed = new WeakMap<IncomingHttpHeaders, Cookies>();

/** The cookies of a request, parsed once. */
export function cookiesOf(headers: IncomingHttpHeaders): Readonly<Cookies> {
  let cookies = parsed.get(headers);
  if (!cookies) parsed.set(headers, (cookies = parse(headers.cookie ?? '')));
  return cookies;
}
