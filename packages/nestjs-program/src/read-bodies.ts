import { BadRequestException } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express, { type NextFunction, type Request, type Response } from 'express';

/** 400: the body is not JSON, though `Content-Type` says so. */
export class BodyNotJson extends BadRequestException {
  readonly code = 'BODY_NOT_JSON';

  constructor() {
    // Without the words of the parser, which repeat a part of the body.
    super('The body is not valid JSON');
  }
}

/**
 * Reads the bodies of requests before the routes, in place of the parsers of NestJS: create the application with `bodyParser: false`. As in every
 * program with NestJS, the body of another type is `undefined`.
 *
 * @param limit such as `32kb`. A longer body is answered 413
 * @throws `BodyNotJson` where a request is handled
 */
export function readBodies(
  app: NestExpressApplication,
  types: readonly ('json' | 'urlencoded')[],
  limit: string,
) {
  const parsers = express.Router();
  for (const type of types)
    parsers.use(type === 'json' ? express.json({ limit }) : express.urlencoded({ extended: false, limit }));
  parsers.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => {
    const { type } = (error ?? {}) as { type?: unknown };
    next(type === 'entity.parse.failed' ? new BodyNotJson() : error);
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (length === undefined && encoding === undefined) next();
    else parsers(request, response, next);
  });
}
