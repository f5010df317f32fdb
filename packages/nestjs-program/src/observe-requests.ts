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

/** A request that was answered. `method` and `route` have few values, so metrics can have them as labels. */
export interface AnsweredRequest {
  request: Request;
  /** `other` where it is none of HTTP's own (RFC 9110) */
  method: string;
  /** the pattern of the route, not the path, which a client can choose; `none` where no route has answered */
  route: string;
  /** without the query, cut at 200 characters */
  path: string;
  status: number;
  /** time to answer the request */
  ms: number;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const MAX_PATH_LENGTH = 200;

/**
 * Calls `done` after each request of a server, also after those that Node.js answers itself.
 *
 * @returns a function that ends this
 */
export function observeRequests(observed: Server, done: (answered: AnsweredRequest) => void): () => void {
  const start = (message: unknown) => {
    const { response, server } = message as Message;
    if (server === observed) response[startedAt] = performance.now();
  };
  const finish = (message: unknown) => {
    const { request, response, server } = message as Message;
    const since = response[startedAt];
    if (server !== observed || since === undefined) return;
    const { method } = request;
    const [path = ''] = targetOf(request).split('?', 1);
    done({
      request,
      method: METHODS.includes(method) ? method : 'other',
      route: routeOf(request),
      path: path.slice(0, MAX_PATH_LENGTH),
      status: response.statusCode,
      ms: performance.now() - since,
    });
  };
  subscribe(STARTED, start);
  subscribe(FINISHED, finish);
  return () => {
    unsubscribe(STARTED, start);
    unsubscribe(FINISHED, finish);
  };
}

function routeOf(request: Request): string {
  const { path } = (request.route ?? {}) as { path?: string };
  return path ?? (routed(request).startsWith('/static/') ? '/static/*' : 'none');
}

/** Without the base path. Express splits `url` where it serves files; of `Request` Node.js knows less. */
const routed = ({ baseUrl = '', url = '' }: Partial<Pick<Request, 'baseUrl' | 'url'>>) => baseUrl + url;

/** Node.js answers some requests itself, such as one without `Host`; Express does not see them. */
const targetOf = ({ originalUrl, url }: Partial<Pick<Request, 'originalUrl' | 'url'>>) =>
  originalUrl ?? url ?? '';
