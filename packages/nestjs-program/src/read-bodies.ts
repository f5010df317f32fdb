import { BadRequestException } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

/** 400: the body is not JSON, though `Content-Type` says so. */
export class BodyNotJson extends BadRequestException {
  readonly code = 'BODY_NOT_JSON';

  constructor() {
    // Without the words of the parser, which repeat a part of the body.
    super('The body is not valid JSON');
  }
}

/**
 * Reads the bodies of requests before the routes. As in every program with NestJS, the body of another type is `undefined`.
 *
 * @param limit such as `32kb`. A longer body is answered 413
 * @throws `BodyNotJson` where a request is handled
 */
export function readBodies(
  app: NestExpressApplication,
  types: readonly ('json' | 'urlencoded')[],
  limit: string,
) {
  for (const type of types)
    if (type === 'json') app.useBodyParser('json', { limit });
    else app.useBodyParser('urlencoded', { extended: false, limit });
  app.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => {
    const { type } = (error ?? {}) as { type?: unknown };
    next(type === 'entity.parse.failed' ? new BodyNotJson() : error);
  });
}
