import { ZitadelApiModule } from '@mridang/nestjs-zitadel';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { API_ENV, type ApiEnv } from '../config/api-env.js';
import { ENV } from '../config/env.js';
import { HealthController } from '../observability/health.controller.js';
import { Metrics } from '../observability/metrics.js';
import { MetricsController } from '../observability/metrics.controller.js';
import { RequestObserver } from '../observability/request-observer.js';
import { ApiErrorFilter } from './api-error.filter.js';
import { AppController } from './app.controller.js';

/** The API: every route needs a token that Zitadel calls active, unless it is `@Public()`. */
@Module({})
export class ApiModule {
  static register(env: ApiEnv): DynamicModule {
    const metrics = new Metrics();
    return {
      module: ApiModule,
      imports: [
        TerminusModule.forRoot({ logger: false }),
        ZitadelApiModule.register({ ...env.zitadel, ...env, observer: metrics }),
      ],
      controllers: [AppController, HealthController, MetricsController],
      providers: [
        { provide: API_ENV, useValue: env },
        // What is shared with the web application asks for less than both have.
        { provide: ENV, useExisting: API_ENV },
        { provide: Metrics, useValue: metrics },
        RequestObserver,
        { provide: APP_FILTER, useClass: ApiErrorFilter },
      ],
    };
  }
}
