import { Public } from '@mridang/nestjs-auth';
import { LeanExpressAdapter } from '@mridang/nestjs-program';
import { Controller, Get, Inject, Optional, Res, ServiceUnavailableException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Discovery, SetupProblems, SharedState } from '@mridang/nestjs-zitadel';

/** Liveness and readiness probes. */
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly discovery: Discovery,
    private readonly host: HttpAdapterHost,
    @Inject(OBSERVABILITY_OPTIONS) private readonly options: ObservabilityOptions,
    @Optional() private readonly state?: SharedState,
    @Optional() private readonly setup?: SetupProblems,
  ) {}

  @Get('live')
  live() {
    return { status: 'ok' };
  }

  /**
   * 503 where nobody can sign in. Without Redis, and with a wrong set-up in Zitadel, the instance is `degraded`, with 200: other
   * instances would not do better.
   */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response) {
    try {
      return this.named(
        await this.checks.check([
          () => this.server(),
          () => this.zitadel(),
          ...(this.options.redisUrl ? [() => this.redis()] : []),
        ]),
      );
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
    const health = this.discovery.health;
    if (health.status === 'down') return zitadel.down('metadata not known');
    if (this.misconfigurations.length > 0)
      return zitadel.degraded({ reason: this.misconfigurations.join(', ') });
    return health.status === 'degraded'
      ? zitadel.degraded({ since: health.since.toISOString() })
      : zitadel.up();
  }

  private get misconfigurations(): readonly string[] {
    return this.setup?.codes ?? [];
  }

  /** Terminus has no status for a wrong set-up. */
  private named(result: HealthCheckResult): HealthCheckResult {
    const { zitadel } = result.details;
    if (zitadel?.['reason'] !== undefined) Object.assign(zitadel, { status: 'misconfigured' });
    return result;
  }

  private async redis() {
    const redis = this.indicators.check('redis');
    return (await this.state?.check()) ? redis.up() : redis.degraded('not reachable');
  }
}
