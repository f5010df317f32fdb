import type { ServerResponse } from 'node:http';
import type { HttpResponse } from '../auth.types.js';

/** The Node response of an Express response or a Fastify reply. */
export const rawResponse = (response: HttpResponse): ServerResponse =>
  'raw' in response ? response.raw : response;

/** Calls `listener` immediately before the headers are sent: the last moment to change them. */
export function onHeaders(response: HttpResponse, listener: () => void) {
  const raw = rawResponse(response);
  const writeHead = raw.writeHead.bind(raw) as (...args: unknown[]) => typeof raw;
  raw.writeHead = (...args: unknown[]) => {
    raw.writeHead = writeHead;
    listener();
    return writeHead(...args);
  };
}
