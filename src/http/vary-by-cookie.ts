import type { NextFunction, Request, Response } from 'express';

/** Tells caches that what a route answers depends on who asks. Static files are the same for everybody. */
export function varyByCookie(request: Request, response: Response, next: NextFunction) {
  if (!request.url.startsWith('/static/')) response.setHeader('Vary', 'Cookie');
  next();
}
