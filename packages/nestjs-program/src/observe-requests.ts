import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { Request, Response } from 'express';

const STARTED = 'http.server.request.start';
const FINISHED = 'http.server.response.finish';

const startedAt = Symbol('started at');

/** Messages of Node's diagnostics channels, for the requests of all servers of the process. */
interface Message {
  request: Request;
  response: Response & { [startedAt]?: number };
  server: Server;
}

/**
 * Calls `done` after each request of a server, also after those that Node.js answers itself.
 *
 * @param done `ms` is the time to answer the request
 * @returns a function that ends this
 */
export function observeRequests(
  observed: Server,
  done: (request: Request, response: Response, ms: number) => void,
): () => void {
  const start = (message: unknown) => {
    const { response, server } = message as Message;
    if (server === observed) response[startedAt] = performance.now();
  };
  const finish = (message: unknown) => {
    const { request, response, server } = message as Message;
    const since = response[startedAt];
    if (server === observed && since !== undefined) done(request, response, performance.now() - since);
  };
  subscribe(STARTED, start);
  subscribe(FINISHED, finish);
  return () => {
    unsubscribe(STARTED, start);
    unsubscribe(FINISHED, finish);
  };
}
