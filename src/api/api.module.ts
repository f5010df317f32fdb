import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { API_ENV, type ApiEnv } from '../config/api-env.js';
import { ENV } from '../config/env.js';
import { HealthController } from '../http/health.controller.js';
import { MetricsController } from '../http/metrics.controller.js';
import { RequestObserver } from '../http/request-observer.js';
import { Metrics } from '../metrics/metrics.js';
import { Discovery } from '../zitadel/discovery.js';
import { SetupProblems } from '../zitadel/setup-problems.js';
import { ApiErrorFilter } from './api-error.filter.js';
import { AppController } from './app.controller.js';
import { BearerGuard } from './bearer.guard.js';
import { Introspection } from './introspection.js';

/** The API: every route needs a token that Zitadel calls active, unless it is `@Public()`. */
@Module({})
export class ApiModule {
  static register(env: ApiEnv): DynamicModule {
    return {
      module: ApiModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [AppController, HealthController, MetricsController],
      providers: [
        { provide: API_ENV, useValue: env },
        // What is shared with the web application asks for less than both have.
        { provide: ENV, useExisting: API_ENV },
        Discovery,
        Metrics,
        RequestObserver,
        Introspection,
        { provide: SetupProblems, useExisting: Introspection },
        { provide: APP_GUARD, useClass: BearerGuard },
        { provide: APP_FILTER, useClass: ApiErrorFilter },
      ],
    };
  }
}
