import type { OutgoingHttpHeader } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';

/**
 * Returns the header fields that a middleware sets, when they are the same for every answer: to set them without it.
 *
 * @throws what the middleware passes on, and when it has not called `next` by its end
 */
export function headersOf(middleware: RequestHandler): ReadonlyMap<string, OutgoingHttpHeader> {
  const headers = new Map<string, OutgoingHttpHeader>();
  const response = {
    setHeader: (name: string, value: OutgoingHttpHeader) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  let isDone = false;
  void middleware({} as Request, response as unknown as Response, (error?: unknown) => {
    if (error) throw error as Error;
    isDone = true;
  });
  if (!isDone) throw new TypeError('headersOf: expected a middleware that calls next() before it returns');
  return headers;
}
