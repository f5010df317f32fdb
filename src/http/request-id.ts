import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

const GIVEN = /^[\w.-]{1,64}$/;

const current = new AsyncLocalStorage<string>();

/** Names each request, as a proxy in front has done or anew: the name stands in the answer and in the log. */
export function requestId(request: Request, response: Response, next: NextFunction) {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && GIVEN.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  current.run(id, next);
}

/** The name of the request that is being answered, if it is one. */
export const currentRequestId = (): string | undefined => current.getStore();
