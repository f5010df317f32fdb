import { Public } from '@mridang/nestjs-auth';
import { LeanExpressAdapter } from '@mridang/nestjs-program';
import { Controller, Get, Inject, Optional, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Response } from 'express';
import { OBSERVABILITY_OPTIONS, type ObservabilityOptions } from './observability.options.js';
import { Discovery, SetupProblems, SharedState } from '@mridang/nestjs-zitadel';

interface Health {
  status: 'up' | 'degraded' | 'misconfigured' | 'down';
  message?: string;
  reason?: string;
  /** ISO 8601 */
  since?: string;
}

/** Liveness and readiness probes. */
@Public()
@Controller('health')
export class HealthController {
  constructor(
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
    const details = {
      server: this.server(),
      zitadel: this.zitadel(),
      ...(this.options.redisUrl ? { redis: await this.redis() } : {}),
    };
    const checks = Object.entries(details);
    const isDown = checks.some(([, { status }]) => status === 'down');
    response.status(isDown ? 503 : 200);
    return {
      status: isDown ? 'error' : checks.every(([, { status }]) => status === 'up') ? 'ok' : 'degraded',
      info: Object.fromEntries(checks.filter(([, { status }]) => status !== 'down')),
      error: Object.fromEntries(checks.filter(([, { status }]) => status === 'down')),
      details,
    };
  }

  private server(): Health {
    const httpAdapter: unknown = this.host.httpAdapter;
    const isStopping = httpAdapter instanceof LeanExpressAdapter && httpAdapter.isStopping;
    return isStopping ? { status: 'down', message: 'stopping' } : { status: 'up' };
  }

  private zitadel(): Health {
    const health = this.discovery.health;
    if (health.status === 'down') return { status: 'down', message: 'metadata not known' };
    const problems = this.setup?.codes ?? [];
    if (problems.length > 0) return { status: 'misconfigured', reason: problems.join(', ') };
    return health.status === 'degraded'
      ? { status: 'degraded', since: health.since.toISOString() }
      : { status: 'up' };
  }

  private async redis(): Promise<Health> {
    return (await this.state?.check()) ? { status: 'up' } : { status: 'degraded', message: 'not reachable' };
  }
}
