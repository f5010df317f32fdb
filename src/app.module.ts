import { ZitadelModule } from '@mridang/nestjs-zitadel';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuthPagesModule } from './auth/auth-pages.module.js';
import { zitadelOptions } from './auth/zitadel-options.js';
import { ConfigModule } from './config/config.module.js';
import type { Env } from './config/env.js';
import { Metrics } from './observability/metrics.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { PagesModule } from './pages/pages.module.js';
import { WebModule } from './web/web.module.js';

@Module({})
export class AppModule {
  static register(env: Env): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(env),
        ObservabilityModule.register(env),
        WebModule,
        PagesModule,
        AuthPagesModule,
        ZitadelModule.registerAsync({
          inject: [Metrics],
          useFactory: (metrics: Metrics) => zitadelOptions(env, metrics),
        }),
      ],
    };
  }
}
