import type { Response } from 'express';

/** Redirects after a form (RFC 9110 15.4.4). Express would repeat the address, and what is in it, in a body. */
export function seeOther(response: Response, url: string): void {
  response.status(303).setHeader('Location', url).end();
}
