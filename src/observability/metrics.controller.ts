import { hash, timingSafeEqual } from 'node:crypto';
import { Public } from '@mridang/nestjs-auth';
import { All, Controller, Inject, NotFoundException, Optional, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Metrics } from './metrics.js';
import { SharedState } from '@mridang/nestjs-zitadel';

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** Headers of proxies: a proxy on this machine must not publish the metrics. */
const PROXY_HEADERS = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'];

/**
 * The metrics, for requests with the token, or from this machine where no token is configured. Other requests get 404, whatever their
 * method.
 */
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    @Inject(OBSERVABILITY_OPTIONS) private readonly options: ObservabilityOptions,
    @Optional() state?: SharedState,
  ) {
    if (!state) return;
    metrics.gauge('state_shared', 'Whether all instances have the same state', () => Number(state.isShared));
    metrics.gauge('state_bytes', 'Memory of the local copy of the state', state.bytes);
  }

  @All()
  async show(@Req() request: Request, @Res() response: Response): Promise<void> {
    if (!['GET', 'HEAD'].includes(request.method) || !this.mayRead(request)) throw new NotFoundException();
    const text = await this.metrics.text();
    response.setHeader('Content-Type', this.metrics.contentType);
    response.end(text);
  }

  private mayRead({ headers, socket }: Request): boolean {
    const { metricsToken } = this.options;
    if (metricsToken !== undefined) return isEqual(tokenIn(headers.authorization), metricsToken);
    return (
      LOOPBACK.test(socket.remoteAddress ?? '') && PROXY_HEADERS.every((name) => headers[name] === undefined)
    );
  }
}

/** The scheme is case-insensitive (RFC 9110 11.1). */
const tokenIn = (authorization = '') => /^bearer +(.*)$/i.exec(authorization)?.[1];

/** In constant time. */
const isEqual = (given: string | undefined, expected: string) =>
  given !== undefined && timingSafeEqual(digest(given), digest(expected));

const digest = (text: string) => hash('sha256', text, 'buffer');
