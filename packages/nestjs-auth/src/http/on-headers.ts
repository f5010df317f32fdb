import type { HttpResponse } from '../auth.types.js';
import { rawResponse } from './raw-response.js';

/** Calls `listener` just before the headers of the answer are sent: the last moment to change them. */
export function onHeaders(response: HttpResponse, listener: () => void) {
  const raw = rawResponse(response);
  const writeHead = raw.writeHead.bind(raw) as (...args: unknown[]) => typeof raw;
  raw.writeHead = (...args: unknown[]) => {
    raw.writeHead = writeHead;
    listener();
    return writeHead(...args);
  };
}
