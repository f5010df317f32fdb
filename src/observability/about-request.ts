import type { IncomingHttpHeaders } from 'node:http';

/** Fields of a log line about a request. */
export const aboutRequest = ({ headers }: { headers: IncomingHttpHeaders }) => ({
  reqId: headers['x-request-id'],
});
