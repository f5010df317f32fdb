import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** A browser request. Each one has separate headers, because a session is read once per request. */
export function requestWith(cookie) {
  const request = new IncomingMessage(new Socket());
  const headers = { host: 'localhost', accept: 'text/html', 'sec-fetch-mode': 'navigate', cookie };
  Object.assign(request, { method: 'GET', url: '/profile', headers });
  return { request, response: new ServerResponse(request) };
}
