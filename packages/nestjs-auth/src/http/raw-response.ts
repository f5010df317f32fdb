import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { HttpResponse } from '../auth.types.js';

/** The members of a Fastify reply that this module uses. Its headers are not those of its `raw` response until it is sent. */
export interface FastifyReply {
  raw: ServerResponse;
  getHeader(name: string): OutgoingHttpHeader | undefined;
  header(name: string, value: unknown): unknown;
  removeHeader(name: string): unknown;
  code(status: number): unknown;
  send(payload?: unknown): unknown;
}

/** The Node response of an Express response or a Fastify reply. */
export const rawResponse = (response: HttpResponse): ServerResponse =>
  'raw' in response ? response.raw : response;

export const isFastifyReply = (response: HttpResponse): response is FastifyReply =>
  'raw' in response && 'header' in response;

const headersOf = (response: HttpResponse) => (isFastifyReply(response) ? response : rawResponse(response));

export const getHeader = (response: HttpResponse, name: string): OutgoingHttpHeader | undefined =>
  headersOf(response).getHeader(name);

export function removeHeader(response: HttpResponse, name: string) {
  headersOf(response).removeHeader(name);
}

export function setHeader(response: HttpResponse, name: string, value: string | string[]) {
  if (!isFastifyReply(response)) rawResponse(response).setHeader(name, value);
  else {
    // Fastify adds to the cookies that are there, and passes an empty list on.
    response.removeHeader(name);
    if (value.length > 0) response.header(name, value);
  }
}

/** Says that the response depends on these request headers (RFC 9110 12.5.5), and forbids to store it unless the program has decided. */
export function variesBy(response: HttpResponse, ...names: string[]) {
  const known = String(getHeader(response, 'vary') ?? '')
    .split(/ *, */)
    .filter(Boolean);
  const missing = names.filter((name) => !known.some((one) => one.toLowerCase() === name.toLowerCase()));
  setHeader(response, 'vary', [...known, ...missing].join(', '));
  if (getHeader(response, 'cache-control') === undefined) setHeader(response, 'cache-control', 'no-store');
}

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
