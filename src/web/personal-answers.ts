import type { NextFunction, Request, Response } from 'express';

/** Answers of routes depend on the session and must not be cached. Static files may be. */
export function personalAnswers(request: Request, response: Response, next: NextFunction) {
  if (!request.url.startsWith('/static/')) {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Vary', 'Cookie');
  }
  next();
}
