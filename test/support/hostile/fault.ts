import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** How an endpoint fails for every client. */
export interface Fault {
  /** the delay before the response; alone, the endpoint then succeeds */
  delayMs?: number;
  status?: number;
  body?: string;
  contentType?: string;
  headers?: Record<string, string>;
  redirectTo?: string;
  /** the size of the response: spaces before a valid document */
  megabytes?: number;
  /** closes the connection without a response */
  hangUp?: boolean;
  /** the number of failures before the endpoint succeeds again. Default: always */
  times?: number;
}

const MEGABYTE = ' '.repeat(1024 * 1024);

/** Executes a fault. Returns false if the endpoint has to respond; `sent` receives each megabyte that was read. */
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
