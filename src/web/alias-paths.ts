import type { NextFunction, Request, Response } from 'express';

/** Rewrites configured paths to routes: `{[path]: route}`, both without `basePath`. */
export function aliasPaths(routes: Record<string, string>, basePath: string) {
  return (request: Request, _response: Response, next: NextFunction) => {
    const route = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
    if (route) {
      request.url = route + request.url.slice(request.path.length);
      request.originalUrl = basePath + request.url;
    }
    next();
  };
}
