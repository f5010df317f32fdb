import type { IncomingHttpHeaders } from 'node:http';

/**
 * Tells whether a person's browser asks for a page, as opposed to a program asking for data.
 * Fetch metadata decides where the browser sends it; else `Accept` naming `text/html`.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isPageRequest(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  const dest = headers['sec-fetch-dest'];
  if (dest !== undefined) return dest === 'document';
  return headers.accept?.includes('text/html') ?? false;
}
