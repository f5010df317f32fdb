import type { Response } from 'express';

/** Redirects after a form (RFC 9110 15.4.4) without a body: Express would repeat the address in one. */
export function seeOther(response: Response, url: string): void {
  response.status(303).setHeader('Location', url).end();
}
