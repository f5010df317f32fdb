import { fileURLToPath } from 'node:url';
import { CsrfService } from '@mridang/nestjs-auth';
import { readBodies, requestId } from '@mridang/nestjs-program';
import { LoginOrigin } from '@mridang/nestjs-zitadel';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RequestHandler } from 'express';
import { ENV, type Env } from './config/env.js';
import { limitSignIns } from './web/rate-limit.js';
import { MeModule } from './pages/me.controller.js';
import { pageFrame } from './web/page-frame.js';
import { securityHeaders } from './web/security-headers.js';
import { useViews } from './web/view-engine.js';

/** The project folder: one above `src`, `build` and `dist`. */
const root = fileURLToPath(new URL('..', import.meta.url));

/** Configures Express: the same for `main.ts` and for the tests. */
export function configureApp(app: NestExpressApplication) {
  const env = app.get<Env>(ENV);
  app.disable('x-powered-by');
  // Answers of routes are `no-store`, so an ETag has no use. Static files have their own.
  app.set('etag', false);
  app.use(requestId);
  app.use(favicon);
  app.use(securityHeaders(env, app.get(LoginOrigin)));
  if (env.trustedProxies.length > 0) app.set('trust proxy', env.trustedProxies);
  app.use(limitSignIns(env.authRateLimit));
  readBodies(app, ['urlencoded', 'json'], '32kb');
  // Where `@nestjs/swagger` has it, and not in production, as that of the API.
  if (!env.production) app.getHttpAdapter().getInstance().get('/api-json', describes(app));
  const { basePath, cacheViews: cache } = env;
  useViews(app, root, { cache, basePath }, pageFrame(app.get(CsrfService), basePath));
}

/** Browsers request this path for answers that name no icon, such as JSON. */
const favicon: RequestHandler = (request, _response, next) => {
  if (request.path === '/favicon.ico') request.url = '/static/icon.svg';
  next();
};

/** Describes the routes that programs call, for the first request and those after it. */
function describes(app: NestExpressApplication): RequestHandler {
  let document: object | undefined;
  return async (_request, response) => {
    document ??= await import('./web/open-api.js').then(({ openApiDocument }) =>
      openApiDocument(app, [MeModule]),
    );
    response.json(document);
  };
}
