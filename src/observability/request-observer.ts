import type { Server } from 'node:http';
import { observeRequests, type AnsweredRequest } from '@mridang/nestjs-program';
import { aboutRequest } from '@mridang/nestjs-zitadel';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Metrics } from './metrics.js';

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

  private readonly observe = ({ request, method, route, path, status, ms }: AnsweredRequest) => {
    const group = `${Math.floor(status / 100)}xx`;
    this.metrics.requestSeconds.observe({ method, route, status: group }, ms / 1000);
    if (this.options.logLevel !== 'debug') return;
    this.logger.debug(`${request.method} ${path} ${status}`, {
      event: 'request',
      route,
      ms: Math.round(ms),
      ...aboutRequest(request),
    });
  };
}
