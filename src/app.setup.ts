import { CsrfService } from '@mridang/nestjs-auth';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ENV, type Env } from './config/env.js';
import { aliasPaths } from './http/alias-paths.js';
import { pageFrame } from './http/page-frame.js';
import { securityHeaders } from './http/security-headers.js';
import { useViews } from './http/view-engine.js';

/** Configures Express: the same for `main.ts` and for the tests. */
export function configureApp(app: NestExpressApplication) {
  const env = app.get<Env>(ENV);
  app.disable('x-powered-by');
  // No answer of a route may be stored, so there is nothing to compare with. Static files have tags of their own.
  app.set('etag', false);
  app.use(securityHeaders(env));
  app.use(
    aliasPaths({
      [new URL(env.zitadel.callbackUrl).pathname]: '/auth/callback/zitadel',
      [new URL(env.zitadel.postLogoutUrl).pathname]: '/auth/logout/callback',
    }),
  );
  app.use(pageFrame(app.get(CsrfService)));
  app.useBodyParser('urlencoded', { extended: false, limit: '32kb' });
  useViews(app, { cache: env.production });
}
