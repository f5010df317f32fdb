import { AuthModule } from '@mridang/nestjs-auth';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuthPagesModule } from './auth/auth-pages.module.js';
import { ConfigModule } from './config/config.module.js';
import { ENV, type Env } from './config/env.js';
import { HttpModule } from './http/http.module.js';
import { Journal } from './metrics/journal.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PagesModule } from './pages/pages.module.js';
import { signInFailurePage } from './auth/sign-in-failure-page.js';
import { authOptions } from './zitadel/auth-options.js';
import { ClaimsReload } from './zitadel/claims-reload.js';
import { Discovery } from './zitadel/discovery.js';
import { EndedSessions } from './zitadel/ended-sessions.js';
import { LoggedOutCookie } from './zitadel/logged-out-cookie.js';
import { Resumption } from './zitadel/resumption.js';
import { SignInRules } from './zitadel/sign-in-rules.js';
import { TokenRefresher } from './zitadel/token-refresher.js';
import { TokenRevocation } from './zitadel/token-revocation.js';
import { TokenVerifier } from './zitadel/token-verifier.js';
import { ZitadelModule } from './zitadel/zitadel.module.js';

@Module({})
export class AppModule {
  static register(env: Env): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.register(env),
        MetricsModule,
        HttpModule,
        PagesModule,
        // Before AuthModule, whose routes take everything else below /auth.
        AuthPagesModule,
        AuthModule.registerAsync({
          imports: [ZitadelModule],
          inject: [
            ENV,
            Discovery,
            TokenVerifier,
            TokenRefresher,
            ClaimsReload,
            EndedSessions,
            TokenRevocation,
            LoggedOutCookie,
            SignInRules,
            Resumption,
            Journal,
          ],
          useFactory: (...services: Parameters<typeof authOptions>) => ({
            ...authOptions(...services),
            failurePage: (failure, _request, response) => signInFailurePage(failure, response),
          }),
        }),
      ],
    };
  }
}
