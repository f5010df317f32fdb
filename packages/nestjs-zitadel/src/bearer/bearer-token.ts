import type { IncomingMessage } from 'node:http';

/** The characters of a bearer token (RFC 6750 2.1). */
const TOKEN = /^[\w\-.~+/]+=*$/;

export type BearerToken =
  { kind: 'none' } | { kind: 'ambiguous' } | { kind: 'malformed' } | { kind: 'token'; token: string };

/**
 * The bearer token of a request, of any length: from exactly one `Authorization` header, its scheme in any case (RFC 9110
 * 11.1), never from the query or the body (RFC 9700 4.3.2).
 */
export function bearerTokenOf({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): BearerToken {
  const given = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === 'authorization' && index % 2 === 1,
  );
  const [header, ...others] = given;
  if (header === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'ambiguous' };
  const [scheme = '', ...rest] = header.trim().split(/ +/);
  if (scheme.toLowerCase() !== 'bearer') return { kind: 'none' };
  const [token = '', ...more] = rest;
  return more.length === 0 && TOKEN.test(token) ? { kind: 'token', token } : { kind: 'malformed' };
}
