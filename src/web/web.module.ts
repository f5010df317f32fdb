import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ErrorFilter } from './error.filter.js';
import { HealthController } from '../observability/health.controller.js';
import { MetricsController } from '../observability/metrics.controller.js';
import { RequestObserver } from '../observability/request-observer.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, MetricsController],
  providers: [RequestObserver, { provide: APP_FILTER, useClass: ErrorFilter }],
})
export class WebModule {}
