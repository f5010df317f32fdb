import type { HttpResponse } from '../auth.types.js';
import { addSetCookie } from '../session/session-cookie.js';
import { isFastifyReply, rawResponse, setHeader } from './raw-response.js';

/**
 * Sends a web `Response` through an Express response or a Fastify reply, with each `Set-Cookie` as its own header. Replaces `Expires`,
 * which Auth.js sets and a browser compares with its own clock, by `Max-Age` (RFC 6265 5.2.2).
 */
export async function toHttpResponse(webResponse: Response, response: HttpResponse): Promise<void> {
  webResponse.headers.forEach((value, name) => {
    if (name !== 'set-cookie') setHeader(response, name, value);
  });
  for (const cookie of webResponse.headers.getSetCookie()) addSetCookie(response, withMaxAge(cookie));
  const body = Buffer.from(await webResponse.arrayBuffer());
  if (isFastifyReply(response)) {
    response.code(webResponse.status);
    // Fastify gives an empty buffer a content type.
    response.send(body.length > 0 ? body : undefined);
  } else {
    const raw = rawResponse(response);
    raw.statusCode = webResponse.status;
    raw.end(body);
  }
}

function withMaxAge(line: string): string {
  const [expires, date = ''] = /; Expires=([^;]+)/i.exec(line) ?? [];
  const endsAt = Date.parse(date);
  if (expires === undefined || Number.isNaN(endsAt) || /; Max-Age=/i.test(line)) return line;
  return line.replace(expires, `; Max-Age=${Math.max(0, Math.ceil((endsAt - Date.now()) / 1000))}`);
}
