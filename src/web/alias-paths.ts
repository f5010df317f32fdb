import type { NextFunction, Request, Response } from 'express';

/** Lets a configured address be answered by the route that serves its purpose: `{[path]: route}`. */
export function aliasPaths(routes: Record<string, string>) {
  return (request: Request, _response: Response, next: NextFunction) => {
    const route = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
    if (route) request.url = request.originalUrl = route + request.url.slice(request.path.length);
    next();
  };
}
