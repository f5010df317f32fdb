import { fileURLToPath } from 'node:url';
import { CsrfService } from '@mridang/nestjs-auth';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ENV, type Env } from './config/env.js';
import { aliasPaths } from './web/alias-paths.js';
import { belowBasePath } from './web/below-base-path.js';
import { limitRate } from './web/rate-limit.js';
import { pageFrame } from './web/page-frame.js';
import { securityHeaders } from './web/security-headers.js';
import { personalAnswers } from './web/personal-answers.js';
import { requestId } from './web/request-id.js';
import { useViews } from './web/view-engine.js';
import { LoginOrigin } from '@mridang/nestjs-zitadel';

/** The project folder: one above `src`, `build` and `dist`. */
const root = fileURLToPath(new URL('..', import.meta.url));

/** Configures Express: the same for `main.ts` and for the tests. */
export function configureApp(app: NestExpressApplication) {
  const env = app.get<Env>(ENV);
  app.disable('x-powered-by');
  // Answers of routes are `no-store`, so an ETag has no use. Static files have their own.
  app.set('etag', false);
  if (env.basePath) app.use(belowBasePath(env.basePath));
  app.use(requestId);
  app.use(securityHeaders(env, app.get(LoginOrigin)));
  app.use(aliasPaths(icons, env.basePath));
  app.use(personalAnswers);
  const aliases = aliasesFrom(env);
  if (Object.keys(aliases).length > 0) app.use(aliasPaths(aliases, env.basePath));
  app.use(pageFrame(app.get(CsrfService), env.basePath));
  if (env.trustedProxies.length > 0) app.set('trust proxy', env.trustedProxies);
  app.use(limitRate(env.authRateLimit));
  app.useBodyParser('urlencoded', { extended: false, limit: '32kb' });
  useViews(app, root, { cache: env.cacheViews, basePath: env.basePath });
}

/** Browsers request this path for answers that name no icon, such as JSON. */
const icons = { '/favicon.ico': '/static/icon.svg' };

/** Callback and post-logout paths that differ from those of the routes. */
function aliasesFrom({ zitadel, basePath }: Env): Record<string, string> {
  const callbackPath = new URL(zitadel.callbackUrl).pathname.slice(basePath.length);
  const postLogoutPath = new URL(zitadel.postLogoutUrl).pathname.slice(basePath.length);
  return {
    ...(/^\/auth\/callback(\/zitadel)?$/.test(callbackPath)
      ? {}
      : { [callbackPath]: '/auth/callback/zitadel' }),
    ...(postLogoutPath === '/auth/logout/callback' ? {} : { [postLogoutPath]: '/auth/logout/callback' }),
  };
}
