import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import type { NestApplicationOptions } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';

type Express = RequestListener & { request: object; response: object };

/**
 * Express, whose requests and responses are born with Express's prototypes. Otherwise Express gives them to each one
 * with `Object.setPrototypeOf`, and V8 keeps what such objects refer to until the next full garbage collection.
 * That was more than half of the time a page took (`bench/README.md`). Does not know the options `httpsOptions` and
 * `forceCloseConnections`.
 */
export class LeanExpressAdapter extends ExpressAdapter {
  override initHttpServer(options: NestApplicationOptions) {
    super.initHttpServer(options);
    const express = this.getInstance<Express>();
    class Request extends IncomingMessage {}
    class Response extends ServerResponse {}
    express.request = Object.setPrototypeOf(Request.prototype, express.request) as object;
    express.response = Object.setPrototypeOf(Response.prototype, express.response) as object;
    this.httpServer = createServer({ IncomingMessage: Request, ServerResponse: Response }, express);
  }
}
