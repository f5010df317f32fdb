import { HttpException, Logger } from '@nestjs/common';
import type { HttpResponse } from '../auth.types.js';
import { addSetCookie } from '../session/session-cookie.js';
import { describeError } from './error-chain.js';
import { isFastifyReply, rawResponse, setHeader } from './raw-response.js';

/**
 * Sends a web `Response` through an Express response or a Fastify reply, with each `Set-Cookie` as its own header. Replaces `Expires`,
 * which Auth.js sets and a browser compares with its own clock, by `Max-Age` (RFC 6265 5.2.2).
 */
export async function toHttpResponse(
  webResponse: Response,
  response: HttpResponse,
  { withoutCookies = [] }: { withoutCookies?: readonly string[] } = {},
): Promise<void> {
  for (const [name, value] of webResponse.headers)
    if (name !== 'set-cookie') setHeader(response, name, value);
    else if (!withoutCookies.some((cookie) => value.startsWith(`${cookie}=`)))
      addSetCookie(response, withMaxAge(value));
  const body = webResponse.body ? Buffer.from(await webResponse.arrayBuffer()) : Buffer.alloc(0);
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

const logger = new Logger('Error');

/**
 * Waits for an answer that an exception filter makes. Where that fails, it logs the failure and answers with its status, or 500: Nest
 * leaves the rejection of a filter to Node.js, which would end the process.
 */
export async function answered(answer: Promise<unknown>, response: HttpResponse): Promise<void> {
  try {
    await answer;
  } catch (error) {
    logger.error(`An error could not be answered\n${describeError(error)}`);
    const raw = rawResponse(response);
    if (raw.headersSent) return void raw.end();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    const body =
      error instanceof HttpException
        ? error.getResponse()
        : { statusCode: status, message: 'Internal server error' };
    await toHttpResponse(Response.json(body, { status, headers: { 'cache-control': 'no-store' } }), response);
  }
}

function withMaxAge(line: string): string {
  const [expires, date = ''] = /; Expires=([^;]+)/i.exec(line) ?? [];
  const endsAt = Date.parse(date);
  if (expires === undefined || Number.isNaN(endsAt) || /; Max-Age=/i.test(line)) return line;
  return line.replace(expires, `; Max-Age=${Math.max(0, Math.ceil((endsAt - Date.now()) / 1000))}`);
}
