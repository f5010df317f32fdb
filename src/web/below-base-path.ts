import { requestTarget } from '@mridang/nestjs-auth';
import type { NextFunction, Request, Response } from 'express';

/**
 * Makes requests look as where Express mounts an application at `basePath`: `url` is without it, `originalUrl`, of which
 * addresses are made, is with it. A proxy may have taken it off or not.
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
