import { ZitadelModule } from '@mridang/nestjs-zitadel';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuthPagesModule } from './auth/auth-pages.module.js';
import { zitadelOptions } from './auth/zitadel-options.js';
import { ConfigModule } from './config/config.module.js';
import { ENV, type Env } from './config/env.js';
import { AuditLog } from './observability/audit-log.js';
import { MetricsModule } from './observability/metrics.module.js';
import { PagesModule } from './pages/pages.module.js';
import { WebModule } from './web/web.module.js';

@Module({})
export class AppModule {
  static register(env: Env): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(env),
        MetricsModule,
        WebModule,
        PagesModule,
        // Before the routes of Auth.js, which take everything else below /auth.
        AuthPagesModule,
        ZitadelModule.registerAsync({ inject: [ENV, AuditLog], useFactory: zitadelOptions }),
      ],
    };
  }
}
