import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

/** What a POST carries. */
export interface Posted {
  body: string;
  contentType: string;
  headers?: Record<string, string>;
}

/** Sends a POST, or a GET without `posted`, with the headers of Go's http.Client. The body of the response is not read. */
export async function sendAsGo(
  uri: string,
  posted: Posted | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = uri.startsWith('https:') ? requestHttps : requestHttp;
  const request = send(uri, {
    method: posted ? 'POST' : 'GET',
    headers: {
      'user-agent': 'Go-http-client/1.1',
      ...(posted && {
        'content-length': Buffer.byteLength(posted.body),
        'content-type': posted.contentType,
        ...posted.headers,
      }),
      'accept-encoding': 'gzip',
    },
    agent: false,
    signal,
  });
  request.end(posted?.body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  // only the status and headers are read: an error in the body does not matter
  response.on('error', () => undefined).destroy();
  return response;
}
