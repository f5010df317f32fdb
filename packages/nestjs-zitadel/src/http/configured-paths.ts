import { globalPrefix, requestTarget } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/**
 * Makes the configured paths lead to the routes of this module: `mountPath`, which a proxy may have left on or taken off, and redirect URIs
 * with another path than the routes. It is the first middleware of the application, so that the others see the paths of routes.
 */
@Injectable()
export class ConfiguredPaths {
  /** routes by configured path */
  private readonly routes: ReadonlyMap<string, string>;

  constructor(
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
    private readonly application: ApplicationConfig,
    host: HttpAdapterHost,
  ) {
    const pathOf = (uri: string) => new URL(uri).pathname.slice(options.mountPath.length);
    this.routes = new Map([
      [pathOf(options.redirectUri), '/auth/callback/zitadel'],
      [pathOf(options.postLogoutRedirectUri), '/auth/logout/callback'],
    ]);
    // An application context has no adapter, a testing module has it later.
    host.init$.subscribe(() => {
      (host as Partial<HttpAdapterHost>).httpAdapter?.use(this.rewrite);
    });
  }

  private readonly rewrite = (request: Request, _response: Response, next: NextFunction) => {
    const { mountPath } = this.options;
    if (mountPath) takeOff(mountPath, request);
    const { path } = request;
    const route = this.routes.get(path);
    const target = route && globalPrefix(this.application, '/auth') + route;
    if (target && path !== target && `${path}/zitadel` !== target) {
      request.url = target + request.url.slice(path.length);
      request.originalUrl = mountPath + request.url;
    }
    next();
  };
}

/** As for an Express application mounted at `mountPath`: `url` is without it, `originalUrl` is with it. */
function takeOff(mountPath: string, request: Request): void {
  const target = requestTarget(request);
  const rest = target.slice(mountPath.length);
  const own = target.startsWith(mountPath) && /^([/?]|$)/.test(rest) ? rest : target;
  request.url = own.startsWith('/') ? own : `/${own}`;
  request.originalUrl = mountPath + request.url;
}
