import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
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
import { aboutRequest } from './request-id.js';

const STARTED = 'http.server.request.start';
const FINISHED = 'http.server.response.finish';

/** Other methods share one label. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const MAX_PATH_LENGTH = 200;

const startedAt = Symbol('started at');

/** Messages of Node's diagnostics channels, for the requests of all servers of the process. */
interface Message {
  request: Request;
  response: Response & { [startedAt]?: number };
  server: Server;
}

/** Measures each request by its route. With `LOG_LEVEL=debug` each request is logged. */
@Injectable()
export class RequestObserver implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Request');
  private server: Server | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly host: HttpAdapterHost,
    @Inject(OBSERVABILITY_OPTIONS) private readonly options: ObservabilityOptions,
  ) {}

  onApplicationBootstrap() {
    // An application context has no server.
    const { httpAdapter } = this.host as { httpAdapter?: { getHttpServer(): Server } };
    this.server = httpAdapter?.getHttpServer();
    subscribe(STARTED, this.start);
    subscribe(FINISHED, this.finish);
  }

  onApplicationShutdown() {
    unsubscribe(STARTED, this.start);
    unsubscribe(FINISHED, this.finish);
  }

  private readonly start = (message: unknown) => {
    const { response, server } = message as Message;
    if (server === this.server) response[startedAt] = performance.now();
  };

  private readonly finish = (message: unknown) => {
    const { request, response, server } = message as Message;
    const since = response[startedAt];
    if (server !== this.server || since === undefined) return;
    const ms = performance.now() - since;
    const { statusCode } = response;
    const labels = {
      method: METHODS.includes(request.method) ? request.method : 'other',
      route: routeOf(request),
      status: `${Math.floor(statusCode / 100)}xx`,
    };
    this.metrics.requestSeconds.observe(labels, ms / 1000);
    if (this.options.logLevel === 'debug') this.say(message as Message, labels.route, ms);
  };

  private say({ request, response }: Message, route: string, ms: number) {
    const [path = ''] = targetOf(request).split('?', 1);
    this.logger.debug(`${request.method} ${path.slice(0, MAX_PATH_LENGTH)} ${response.statusCode}`, {
      event: 'request',
      route,
      ms: Math.round(ms),
      ...aboutRequest(request),
    });
  }
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
