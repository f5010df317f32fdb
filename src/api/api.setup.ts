import { LeanExpressAdapter, readBodies, requestId } from '@mridang/nestjs-program';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { API_ENV, type ApiEnv } from '../config/api-env.js';
import { showSwagger } from './swagger.js';

/** A JWT access token with hundreds of roles exceeds Node's default of 16 KiB. */
const MAX_HEADER_BYTES = 64 * 1024;

export const apiAdapter = () => new LeanExpressAdapter({ maxHeaderSize: MAX_HEADER_BYTES });

/** Configures Express for the API: the same for `main.ts` and for the tests. */
export function configureApi(app: NestExpressApplication) {
  const env = app.get<ApiEnv>(API_ENV);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(requestId);
  app.use(
    helmet({
      contentSecurityPolicy: nothingToLoad,
      strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    }),
  );
  if (env.isSwaggerShown) showSwagger(app, env);
  app.use(notStored);
  if (env.corsOrigins.length > 0) {
    app.enableCors({
      origin: env.corsOrigins,
      allowedHeaders: [
        ...['Authorization', 'Content-Type'],
        ...(env.zitadel.organizations === 'active' ? ['X-Organization'] : []),
      ],
      exposedHeaders: ['WWW-Authenticate', 'Retry-After'],
      maxAge: 600,
    });
  }
  readBodies(app, ['json'], '100kb');
}

/** Answers depend on the caller (RFC 6750 5.3). */
const notStored: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};

const nothingToLoad = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
};
