import { describeCredentials, ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '@mridang/nestjs-zitadel';
import type { INestApplication, Type } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Returns the OpenAPI document of the routes of these modules. Import this file when it is needed: Swagger takes memory. */
export function openApiDocument(app: INestApplication, modules: Type[]): object {
  const options = app.get<ResolvedZitadelOptions>(ZITADEL_OPTIONS);
  const builder = new DocumentBuilder()
    .setTitle('NestJS with Zitadel: the web application')
    .setVersion('1')
    .addServer(options.origin + options.mountPath);
  const document = SwaggerModule.createDocument(app, builder.build(), { include: modules });
  return describeCredentials(document, options);
}
