import { randomUUID } from 'node:crypto';
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
