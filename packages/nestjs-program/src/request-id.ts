import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

const GIVEN = /^[\w.-]{1,64}$/;

/** Takes over or makes `X-Request-Id`, for request, answer and log. */
export function requestId({ headers }: Request, response: Response, next: NextFunction) {
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && GIVEN.test(given) ? given : randomUUID();
  headers['x-request-id'] = id;
  response.setHeader('X-Request-Id', id);
  next();
}

/** Fields of a log line about a request. */
export const aboutRequest = ({ headers }: { headers: IncomingHttpHeaders }) => ({
  reqId: headers['x-request-id'],
});
