import type { IncomingHttpHeaders } from 'node:http';
import Negotiator from 'negotiator';
import type { HttpRequest } from '../auth.types.js';

/**
 * Whether a browser requests a page for a person, as opposed to a program that requests data.
 * Fetch Metadata decides where the browser sends it. Otherwise a script that identifies itself (`X-Requested-With`) is a program, and
 * `Accept` has to name `text/html` with a weight above 0 (RFC 9110 12.5.1).
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isPageRequest(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  const dest = headers['sec-fetch-dest'];
  if (dest !== undefined) return dest === 'document';
  if (headers['x-requested-with'] !== undefined) return false;
  return new Negotiator({ headers }).mediaTypes().includes('text/html');
}

/** Whether a browser prefetches an address before its user has clicked: such a request must have no effect. */
export const isPrefetch = (headers: IncomingHttpHeaders): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  );

/** Whether a person opens an address, as opposed to a HEAD, a prefetch, or an image or a frame of a page: such a request must have no effect. */
export const isNavigation = ({ method, headers }: HttpRequest): boolean =>
  method !== 'HEAD' && !isPrefetch(headers) && [undefined, 'document'].includes(headers['sec-fetch-dest']);

/** Whether a request is a navigation by a click on this origin, not by another site or a script (Fetch Metadata). */
export const isClickHere = (request: HttpRequest): boolean =>
  isNavigation(request) &&
  request.headers['sec-fetch-site'] === 'same-origin' &&
  request.headers['sec-fetch-user'] === '?1' &&
  request.headers['sec-fetch-dest'] === 'document';

/** Path and query of a request. The origin of an absolute-form target (RFC 9112 3.2.2) is dropped: the caller chose it. */
export const requestTarget = ({ originalUrl, url }: HttpRequest): string =>
  (originalUrl ?? url).replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '') || '/';
