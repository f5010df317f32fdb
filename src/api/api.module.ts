import { ZitadelApiModule } from '@mridang/nestjs-zitadel';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { API_ENV, type ApiEnv } from '../config/api-env.js';
import { Metrics } from '../observability/metrics.js';
import { ObservabilityModule } from '../observability/observability.module.js';
import { ApiErrorFilter } from './api-error.filter.js';
import { AppController } from './app.controller.js';

/** The API: every route needs a token that Zitadel calls active, unless it is `@Public()`. */
@Module({})
export class ApiModule {
  static register(env: ApiEnv): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        ObservabilityModule.register(env),
        ZitadelApiModule.registerAsync({
          inject: [Metrics],
          useFactory: (observer: Metrics) => ({
            ...env.zitadel,
            ...env,
            observer,
            explainRefusals: !env.production,
          }),
        }),
      ],
      controllers: [AppController],
      providers: [
        { provide: API_ENV, useValue: env },
        { provide: APP_FILTER, useClass: ApiErrorFilter },
      ],
    };
  }
}
