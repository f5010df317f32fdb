import { Agent, request as sendHttp } from 'node:http';
import { Agent as TlsAgent, request as sendHttps } from 'node:https';

/** An HTTP request whose path and headers are sent unchanged. */
export interface HttpCall {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

/** Its response; a header with several lines is a list. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

const agents = { http: new Agent({ keepAlive: true }), https: new TlsAgent({ keepAlive: true }) };

/** Sends without following a redirect. `fetch` refuses TRACE and a custom `Host`. */
export function call({ method, url, headers, body }: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const isTls = url.protocol === 'https:';
    const agent = isTls ? agents.https : agents.http;
    const send = isTls ? sendHttps : sendHttp;
    const request = send(url, { method, headers: { ...headers, ...length }, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: linesOf(response.rawHeaders), body: text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function linesOf(raw: string[]): HttpAnswer['headers'] {
  const headers: HttpAnswer['headers'] = {};
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at]?.toLowerCase(), raw[at + 1]];
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
