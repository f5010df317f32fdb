import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import helmet from 'helmet';
import { API_ENV, type ApiEnv } from '../config/api-env.js';

/** Configures Express for the API: the same for `main.ts` and for the tests. */
export function configureApi(app: NestExpressApplication) {
  const env = app.get<ApiEnv>(API_ENV);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(helmet({ contentSecurityPolicy: contentSecurityPolicy(env) }));
  if (env.corsOrigins.length > 0) {
    app.enableCors({
      origin: env.corsOrigins,
      allowedHeaders: ['Authorization', 'Content-Type'],
      maxAge: 600,
    });
  }
  app.useBodyParser('json', { limit: '100kb' });
  if (env.isSwaggerShown) showSwagger(app, env);
}

/** Swagger UI styles itself inline and talks to Zitadel; without it there is nothing to load. */
const contentSecurityPolicy = ({ isSwaggerShown, zitadel }: ApiEnv) => ({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    ...(isSwaggerShown
      ? {
          scriptSrc: ["'self'", "'unsafe-inline'"],
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          connectSrc: ["'self'", zitadel.issuer],
        }
      : {}),
  },
});

function showSwagger(app: NestExpressApplication, { zitadel, swaggerClientId, key, projectId }: ApiEnv) {
  const audience = projectId ? `urn:zitadel:iam:org:project:id:${projectId}:aud` : undefined;
  const scopes = {
    openid: 'who you are',
    'urn:zitadel:iam:org:project:roles': 'your roles',
    ...(audience ? { [audience]: 'calling this API' } : {}),
  };
  const document = new DocumentBuilder()
    .setTitle('NestJS with Zitadel')
    .setDescription(
      `Every route needs an access token of ${zitadel.issuer}, meant for ${projectId ?? key.clientId}.`,
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An access token you have' })
    .addOAuth2(
      {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: `${zitadel.issuer}/oauth/v2/authorize`,
            tokenUrl: `${zitadel.issuer}/oauth/v2/token`,
            scopes,
          },
        },
      },
      'zitadel',
    )
    .build();
  SwaggerModule.setup('api', app, () => SwaggerModule.createDocument(app, document), {
    swaggerOptions: {
      initOAuth: {
        clientId: swaggerClientId ?? '',
        usePkceWithAuthorizationCodeGrant: true,
        scopes: Object.keys(scopes),
      },
    },
  });
}
