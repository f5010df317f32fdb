import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiExcludeController, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Express } from 'express';
import { contentSecurityPolicy, crossOriginOpenerPolicy } from 'helmet';
import type { ApiEnv } from '../config/api-env.js';
import { HealthController } from '../observability/health.controller.js';
import { MetricsController } from '../observability/metrics.controller.js';
import { swaggerLogin } from '@mridang/nestjs-zitadel';

/** Swagger UI at `/api`. It signs in as a Zitadel application of its own, with PKCE. */
export function showSwagger(app: NestExpressApplication, env: ApiEnv) {
  for (const controller of [HealthController, MetricsController]) ApiExcludeController()(controller);
  const { zitadel, projectId, key, swaggerClientId: clientId } = env;
  const login = swaggerLogin({ issuer: zitadel.issuer, clientId, projectId, path: 'api' });
  const express: Express = app.getHttpAdapter().getInstance();
  express.get(
    login.pages,
    contentSecurityPolicy({ useDefaults: false, directives: login.directives }),
    // the login opens in a window
    crossOriginOpenerPolicy({ policy: 'unsafe-none' }),
  );
  const description = new DocumentBuilder()
    .setTitle('NestJS with Zitadel')
    .setDescription(
      `Every route needs an access token of ${zitadel.issuer}, meant for ${projectId ?? key.clientId}.`,
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An access token you have' })
    .addOAuth2(login.scheme, 'zitadel')
    .build();
  const describe = () => {
    const document = SwaggerModule.createDocument(app, description);
    if (zitadel.organizations === 'active')
      for (const path of Object.values(document.paths)) path.parameters = [organization];
    return document;
  };
  SwaggerModule.setup('api', app, describe, { ...login.ui, customfavIcon: '/api/favicon-32x32.png' });
}

const organization = {
  name: 'X-Organization',
  in: 'header' as const,
  required: false,
  description:
    'Organization to act in, by its id. Default: your own if you have roles there, else the only one',
  schema: { type: 'string' as const },
};
