import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Optional, Res, ServiceUnavailableException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { SharedState } from '../state/shared-state.js';
import { Discovery } from '../zitadel/discovery.js';
import { LeanExpressAdapter } from './lean-express.adapter.js';

/** For whoever runs the program: whether to restart it, and whether to send it requests. */
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly discovery: Discovery,
    private readonly host: HttpAdapterHost,
    @Inject(ENV) private readonly env: Partial<Pick<Env, 'redisUrl'>>,
    @Optional() private readonly state?: SharedState,
  ) {}

  @Get('live')
  live() {
    return { status: 'ok' };
  }

  /** 503 where nobody could sign in. Without Redis this instance goes on with what it knows: that is worse, but not down. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response) {
    try {
      return await this.checks.check([
        () => this.server(),
        () => this.zitadel(),
        ...(this.env.redisUrl ? [() => this.redis()] : []),
      ]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      response.status(503);
      return error.getResponse();
    }
  }

  private server() {
    const httpAdapter: unknown = this.host.httpAdapter;
    const isStopping = httpAdapter instanceof LeanExpressAdapter && httpAdapter.isStopping;
    const server = this.indicators.check('server');
    return isStopping ? server.down('stopping') : server.up();
  }

  private zitadel() {
    const zitadel = this.indicators.check('zitadel');
    return this.discovery.isKnown ? zitadel.up() : zitadel.down('metadata not known');
  }

  private async redis() {
    const redis = this.indicators.check('redis');
    return (await this.state?.check()) ? redis.up() : redis.degraded('not reachable');
  }
}
