import type { HttpResponse } from '../auth.types.js';
import { addSetCookie } from '../session/session-cookie.js';
import { rawResponse } from './raw-response.js';

/** Sends a web `Response` as the answer of an Express or Fastify request, every `Set-Cookie` kept apart. */
export async function toHttpResponse(webResponse: Response, response: HttpResponse): Promise<void> {
  const raw = rawResponse(response);
  webResponse.headers.forEach((value, name) => {
    if (name !== 'set-cookie') raw.setHeader(name, value);
  });
  for (const cookie of webResponse.headers.getSetCookie()) addSetCookie(response, cookie);
  raw.statusCode = webResponse.status;
  raw.end(Buffer.from(await webResponse.arrayBuffer()));
}
