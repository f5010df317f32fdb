import type { IncomingHttpHeaders } from 'node:http';

/** Whether a browser only prepares for a click that may never come: nothing may happen then. */
export const isPrefetch = (headers: IncomingHttpHeaders): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  );
