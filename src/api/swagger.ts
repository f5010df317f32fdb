import { createHash } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiExcludeController, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Express } from 'express';
import { contentSecurityPolicy, crossOriginOpenerPolicy } from 'helmet';
import type { ApiEnv } from '../config/api-env.js';
import { HealthController } from '../observability/health.controller.js';
import { MetricsController } from '../observability/metrics.controller.js';
import { audienceScope, loginAddresses, ROLES_SCOPE } from '@mridang/nestjs-zitadel';

/** Pages of Swagger UI. */
const PAGES = ['/api', '/api/index.html', '/api/oauth2-redirect.html'];

/** Swagger UI derives its redirect URI from the address of the page, which must end with a slash. */
const SLASH_AT_END = `if (location.pathname.endsWith('/api')) history.replaceState(null, '', location.pathname + '/' + location.search + location.hash)`;

/** Swagger UI shows a field for a client secret with PKCE as well. */
const NO_SECRET = '.auth-container .wrapper:has([for^=client_secret]) { display: none }';

/** Swagger UI at `/api`. It signs in as a Zitadel application of its own, with PKCE. */
export function showSwagger(app: NestExpressApplication, env: ApiEnv) {
  for (const controller of [HealthController, MetricsController]) ApiExcludeController()(controller);
  const express: Express = app.getHttpAdapter().getInstance();
  express.get(PAGES, ...pageHeaders(env));
  const scopes = scopesOf(env);
  const description = documentBuilder(env, scopes).build();
  const describe = () => {
    const document = SwaggerModule.createDocument(app, description);
    if (env.zitadel.organizations === 'active')
      for (const path of Object.values(document.paths)) path.parameters = [organization];
    return document;
  };
  SwaggerModule.setup('api', app, describe, {
    customJsStr: SLASH_AT_END,
    customfavIcon: '/api/favicon-32x32.png',
    customCss: NO_SECRET,
    swaggerOptions: {
      initOAuth: {
        clientId: env.swaggerClientId ?? '',
        usePkceWithAuthorizationCodeGrant: true,
        scopes: Object.keys(scopes),
      },
    },
  });
}

const organization = {
  name: 'X-Organization',
  in: 'header' as const,
  required: false,
  description:
    'Organization to act in, by its id. Default: your own if you have roles there, else the only one',
  schema: { type: 'string' as const },
};

/** Swagger UI uses inline styles, requests tokens from Zitadel, and opens the login in a window. */
const pageHeaders = ({ zitadel }: ApiEnv) => [
  contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", `'sha256-${createHash('sha256').update(SLASH_AT_END).digest('base64')}'`],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'", zitadel.issuer],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  }),
  crossOriginOpenerPolicy({ policy: 'unsafe-none' }),
];

function scopesOf({ projectId }: ApiEnv): Record<string, string> {
  return {
    openid: 'who you are',
    [ROLES_SCOPE]: 'your roles',
    ...(projectId ? { [audienceScope(projectId)]: 'calling this API' } : {}),
  };
}

const documentBuilder = ({ zitadel, projectId, key }: ApiEnv, scopes: Record<string, string>) =>
  new DocumentBuilder()
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
          authorizationCode: { ...loginAddresses(zitadel.issuer), scopes },
        },
      },
      'zitadel',
    );
