import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

const GIVEN = /^[\w.-]{1,64}$/;

/** Names each request, as a proxy in front has done or anew: the name stands in the request, in the answer and in the log. */
export function requestId({ headers }: Request, response: Response, next: NextFunction) {
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && GIVEN.test(given) ? given : randomUUID();
  headers['x-request-id'] = id;
  response.setHeader('X-Request-Id', id);
  next();
}
