import type { NextFunction, Request, Response } from 'express';

/** Lets a configured address be answered by the route that serves its purpose: `{[path]: route}`. */
export function aliasPaths(routes: Record<string, string>) {
  return (request: Request, _response: Response, next: NextFunction) => {
    const [path = '', query] = request.url.split('?', 2);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route) request.url = request.originalUrl = query === undefined ? route : `${route}?${query}`;
    next();
  };
}
