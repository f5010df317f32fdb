import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ZitadelModule } from '../zitadel/zitadel.module.js';
import { ErrorFilter } from './error.filter.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RequestObserver } from './request-observer.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), ZitadelModule],
  controllers: [HealthController, MetricsController],
  providers: [RequestObserver, { provide: APP_FILTER, useClass: ErrorFilter }],
})
export class HttpModule {}
