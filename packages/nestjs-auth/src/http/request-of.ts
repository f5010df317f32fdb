import { ServerResponse, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest, HttpResponse } from '../auth.types.js';

/** A request that carries the session cookie of a handler, and the response to it. */
export interface Exchange {
  request: AuthenticatedRequest;
  response: HttpResponse;
  /** whether the response still has to be sent, so that it can set a cookie */
  canSetCookies: boolean;
}

/** The requests of contexts other than HTTP, by an object that all enhancers of a call receive. */
const requests = new WeakMap<object, AuthenticatedRequest>();

/** The request that carries the session: of another context than HTTP, the one that the guard has read. */
export const requestOf = (context: ExecutionContext): AuthenticatedRequest | undefined =>
  context.getType() === 'http'
    ? context.switchToHttp().getRequest<AuthenticatedRequest>()
    : requests.get(keyOf(context));

/** Stores the request of a context other than HTTP for `requestOf`. */
export function keepRequest(context: ExecutionContext, request: AuthenticatedRequest) {
  requests.set(keyOf(context), request);
}

/**
 * Returns the HTTP request of a GraphQL operation, or the upgrade request of a WebSocket. `undefined` where there is none, as for a
 * microservice, or where the library does not show it: a `WebSocket` of `ws` has no member for its request.
 */
export function exchangeOf(context: ExecutionContext): Exchange | undefined {
  const type = context.getType<string>();
  if (type === 'ws') return afterUpgrade(context.switchToWs().getClient<object>());
  return type === 'graphql' ? ofGraphQL(membersOf(context.getArgByIndex(2))) : undefined;
}

/** Apollo: `req`, `res`. Mercurius: `reply`. Subscriptions over WebSocket (graphql-ws): `extra.request`. */
function ofGraphQL({ req, res, reply, extra }: Members): Exchange | undefined {
  const upgraded = [extra, membersOf(req).extra].find((given) => hasHeaders(membersOf(given).request));
  if (upgraded) return afterUpgrade(upgraded);
  const request = req ?? membersOf(reply).request;
  if (!hasHeaders(request)) return undefined;
  const response = res ?? reply ?? membersOf(request).res;
  return response
    ? { request, response: response as HttpResponse, canSetCookies: true }
    : withoutResponse(request);
}

/** A request whose response is out of reach: cookies of its session are not set. */
export const withoutResponse = (request: AuthenticatedRequest): Exchange => ({
  request,
  response: new ServerResponse({ method: 'GET' } as IncomingMessage),
  canSetCookies: false,
});

/**
 * The upgrade request lives as long as its socket, and what is known of a session is stored on its request: each message gets a request
 * of its own, so that it notices the end of the session. Socket.IO has the headers in `handshake`, too.
 */
function afterUpgrade(client: object): Exchange | undefined {
  const { request, upgradeReq, handshake } = membersOf(client);
  const found = [request, upgradeReq, handshake].find(hasHeaders);
  if (!found) return undefined;
  const { url = '/', headers } = found;
  return withoutResponse({ method: 'GET', url, headers });
}

interface Members {
  req?: unknown;
  res?: unknown;
  reply?: unknown;
  extra?: unknown;
  request?: unknown;
  upgradeReq?: unknown;
  handshake?: unknown;
}

const membersOf = (value: unknown): Members => value ?? {};

const hasHeaders = (
  value: unknown,
): value is AuthenticatedRequest & { headers: IncomingHttpHeaders; url?: string } =>
  typeof (value as { headers?: unknown } | undefined)?.headers === 'object';

/** GraphQL: the context of the operation. WebSocket: the client. Microservice: the context of the message. */
function keyOf(context: ExecutionContext): object {
  const index = { graphql: 2, rpc: 1 }[context.getType<string>()] ?? 0;
  const found: unknown = context.getArgByIndex(index);
  return typeof found === 'object' && found !== null ? found : context;
}
