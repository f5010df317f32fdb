import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** How an endpoint fails, whoever asks. */
export interface Fault {
  /** waits before anything else; alone, the endpoint then works */
  delayMs?: number;
  status?: number;
  body?: string;
  contentType?: string;
  headers?: Record<string, string>;
  redirectTo?: string;
  /** an answer that long, of spaces before a valid document */
  megabytes?: number;
  /** closes the connection without an answer */
  hangUp?: boolean;
  /** how often; then the endpoint works again. Default always */
  times?: number;
}

const MEGABYTE = ' '.repeat(1024 * 1024);

/** Fails as told. Returns false when the endpoint has to answer after all; `sent` is told each megabyte taken. */
export async function failed(fault: Fault, response: ServerResponse, sent: () => void): Promise<boolean> {
  if (fault.delayMs) await pause(fault.delayMs, undefined, { ref: false });
  if (fault.hangUp) response.destroy();
  else if (fault.redirectTo) response.writeHead(302, { location: fault.redirectTo }).end();
  else if (fault.megabytes) await sendMuch(fault.megabytes, response, sent);
  else if (fault.status || fault.body !== undefined) {
    response.writeHead(fault.status ?? 200, {
      'content-type': fault.contentType ?? 'application/json',
      ...fault.headers,
    });
    response.end(fault.body ?? '{"error":"server_error","error_description":"as told"}');
  } else return false;
  return true;
}

async function sendMuch(megabytes: number, response: ServerResponse, sent: () => void) {
  response.writeHead(200, { 'content-type': 'application/json' });
  for (let count = 0; count < megabytes && !response.destroyed; count++) {
    if (!response.write(MEGABYTE))
      await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    if (!response.destroyed) sent();
  }
  response.end('{}');
}
