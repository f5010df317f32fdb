import { describeCredentials, ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '@mridang/nestjs-zitadel';
import type { Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Express, RequestHandler } from 'express';

/** Serves the OpenAPI document of the routes that programs call, at the usual address of `@nestjs/swagger`, which the first request loads. */
export function serveDescription(app: NestExpressApplication, modules: Type[]) {
  let description: Promise<object> | undefined;
  const serve: RequestHandler = async (_request, response) => {
    response.json(await (description ??= describe(app, modules)));
  };
  const express: Express = app.getHttpAdapter().getInstance();
  express.get('/api-json', serve);
}

async function describe(app: NestExpressApplication, modules: Type[]) {
  const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
  const options = app.get<ResolvedZitadelOptions>(ZITADEL_OPTIONS);
  const builder = new DocumentBuilder()
    .setTitle('NestJS with Zitadel: the web application')
    .setVersion('1')
    .addServer(options.origin + options.mountPath);
  const document = SwaggerModule.createDocument(app, builder.build(), { include: modules });
  return describeCredentials(document, options);
}
