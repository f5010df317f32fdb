import { Public } from '@mridang/nestjs-auth';
import { isFromOperator } from '@mridang/nestjs-program';
import { All, Controller, Inject, NotFoundException, Optional, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Metrics } from './metrics.js';
import { SharedState } from '@mridang/nestjs-zitadel';

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
    if (!['GET', 'HEAD'].includes(request.method) || !isFromOperator(request, this.options.metricsToken))
      throw new NotFoundException();
    const text = await this.metrics.text();
    response.setHeader('Content-Type', this.metrics.contentType);
    response.end(text);
  }
}
