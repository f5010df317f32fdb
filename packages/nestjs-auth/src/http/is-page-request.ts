import type { IncomingHttpHeaders } from 'node:http';
import Negotiator from 'negotiator';

/**
 * Tells whether a person's browser asks for a page, as opposed to a program asking for data.
 * Fetch metadata decides where the browser sends it; else scripts that say what they are (`X-Requested-With`) are programs, and
 * `Accept` has to name `text/html`, with a weight above 0 (RFC 9110 12.5.1).
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
