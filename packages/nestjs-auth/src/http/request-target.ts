import type { HttpRequest } from '../auth.types.js';

/** Path and query of a request. Of the absolute form (RFC 9112 3.2.2) the origin is dropped: the caller chose it. */
export const requestTarget = ({ originalUrl, url }: HttpRequest): string =>
  (originalUrl ?? url).replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '') || '/';
