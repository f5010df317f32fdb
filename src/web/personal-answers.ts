import type { NextFunction, Request, Response } from 'express';

/** What a route answers depends on who asks, and nobody stores it. Static files are the same for everybody. */
export function personalAnswers(request: Request, response: Response, next: NextFunction) {
  if (!request.url.startsWith('/static/')) {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Vary', 'Cookie');
  }
  next();
}
