import { setTimeout as wait } from 'node:timers/promises';

/** A server may close an idle connection in the moment in which it is used again (RFC 9112 9.3.1). */
const CLOSED = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

const MAX_DEPTH = 4;

/** Zitadel and proxies answer 503 for a moment after a restart. */
const PAUSE_MS = 200;

/**
 * Sends a request, and once more when the connection was closed before a response, or after a 503 without `Retry-After`. The request must
 * be idempotent.
 */
export async function sendWithRetry(send: () => Promise<Response>): Promise<Response> {
  try {
    const answer = await send();
    if (answer.status !== 503 || retryAfterSeconds(answer) !== undefined) return answer;
  } catch (error) {
    if (!isClosed(error)) throw error;
    return send();
  }
  await wait(PAUSE_MS);
  return send();
}

function isClosed(error: unknown): boolean {
  let cause = error as { code?: unknown; cause?: unknown } | null | undefined;
  for (let depth = 0; cause && depth < MAX_DEPTH; cause = cause.cause as typeof cause, depth++)
    if (CLOSED.includes(String(cause.code))) return true;
  return false;
}

const MAX_RETRY_AFTER_SECONDS = 300;

/** Returns the `Retry-After` of a 429 or 503 in seconds (RFC 9110 10.2.3), at most 300. */
export function retryAfterSeconds({
  status,
  headers,
}: Pick<Response, 'status' | 'headers'>): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const given = headers.get('retry-after') ?? '';
  // A date is compared with the clock of the server that sent it.
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const seconds = /^\d+$/.test(given) ? Number(given) : Math.ceil((httpDateIn(given) - now) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}

/** `NaN` for a text that does not begin with a day of the week, as an HTTP date does (RFC 9110 5.6.7). */
const httpDateIn = (text: string) => (/^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN);
