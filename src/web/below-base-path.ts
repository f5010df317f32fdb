import { requestTarget } from '@mridang/nestjs-auth';
import type { NextFunction, Request, Response } from 'express';

/**
 * Handles requests as an Express application mounted at `basePath` would: `url` is without it, `originalUrl` is with it. A proxy
 * may have removed the base path or not.
 */
export function belowBasePath(basePath: string) {
  return (request: Request, _response: Response, next: NextFunction) => {
    const target = requestTarget(request);
    const rest = target.slice(basePath.length);
    const own = target.startsWith(basePath) && /^([/?]|$)/.test(rest) ? rest : target;
    request.url = own.startsWith('/') ? own : `/${own}`;
    request.originalUrl = basePath + request.url;
    next();
  };
}
