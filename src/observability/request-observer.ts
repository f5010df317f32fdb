import type { Server } from 'node:http';
import { aboutRequest, observeRequests } from '@mridang/nestjs-program';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request, Response } from 'express';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Metrics } from './metrics.js';

/** Other methods share one label. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const MAX_PATH_LENGTH = 200;

/** Measures each request by its route. With `LOG_LEVEL=debug` each request is logged. */
@Injectable()
export class RequestObserver implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Request');
  private stop: (() => void) | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly host: HttpAdapterHost,
    @Inject(OBSERVABILITY_OPTIONS) private readonly options: ObservabilityOptions,
  ) {}

  onApplicationBootstrap() {
    // An application context has no server.
    const { httpAdapter } = this.host as { httpAdapter?: { getHttpServer(): Server } };
    this.stop = httpAdapter && observeRequests(httpAdapter.getHttpServer(), this.observe);
  }

  onApplicationShutdown() {
    this.stop?.();
  }

  private readonly observe = (request: Request, response: Response, ms: number) => {
    const method = METHODS.includes(request.method) ? request.method : 'other';
    const route = routeOf(request);
    const status = `${Math.floor(response.statusCode / 100)}xx`;
    this.metrics.requestSeconds.observe({ method, route, status }, ms / 1000);
    if (this.options.logLevel !== 'debug') return;
    const [path = ''] = targetOf(request).split('?', 1);
    this.logger.debug(`${request.method} ${path.slice(0, MAX_PATH_LENGTH)} ${response.statusCode}`, {
      event: 'request',
      route,
      ms: Math.round(ms),
      ...aboutRequest(request),
    });
  };
}

/** The route, not the path, which a client can choose. */
function routeOf(request: Request): string {
  const { path } = (request.route ?? {}) as { path?: string };
  return path ?? (routed(request).startsWith('/static/') ? '/static/*' : 'none');
}

/** Without the base path. Express splits `url` where it serves files; of `Request` Node.js knows less. */
const routed = ({ baseUrl = '', url = '' }: Partial<Pick<Request, 'baseUrl' | 'url'>>) => baseUrl + url;

/** Node.js answers some requests itself, such as one without `Host`; Express does not see them. */
const targetOf = ({ originalUrl, url }: Partial<Pick<Request, 'originalUrl' | 'url'>>) =>
  originalUrl ?? url ?? '';
