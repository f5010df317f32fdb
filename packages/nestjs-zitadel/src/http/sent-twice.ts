import { setTimeout as wait } from 'node:timers/promises';
import { retryAfterSeconds } from './retry-after.js';

/** A server may close a connection it keeps open just when it is used again (RFC 9112 9.3.1). */
const CLOSED = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

const MAX_DEPTH = 4;

/** Zitadel answers 503 for a moment after its start, as do proxies. */
const PAUSE_MS = 200;

/**
 * Sends a request once more where the connection was closed before an answer, or where that is 503, as after a restart of
 * Zitadel, and does not say when to come again. It must be one that may be sent twice.
 */
export async function sentTwice(send: () => Promise<Response>): Promise<Response> {
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
