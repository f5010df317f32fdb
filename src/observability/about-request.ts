import type { IncomingHttpHeaders } from 'node:http';

/** What a line of the log says about the request it belongs to. */
export const aboutRequest = ({ headers }: { headers: IncomingHttpHeaders }) => ({
  reqId: headers['x-request-id'],
});
