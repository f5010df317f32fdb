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

/** The folder above this file: of the source, of the build, and of the bundle, which it becomes a part of. */
const root = fileURLToPath(new URL('..', import.meta.url));

/** Configures Express: the same for `main.ts` and for the tests. */
export function configureApp(app: NestExpressApplication) {
  const env = app.get<Env>(ENV);
  app.disable('x-powered-by');
  // No answer of a route may be stored, so there is nothing to compare with. Static files have tags of their own.
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

/** What browsers ask for where nothing names an icon, as with JSON. */
const icons = { '/favicon.ico': '/static/icon.svg' };

/** Routes for the addresses that are registered in Zitadel, where they are not those of the routes themselves. */
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
