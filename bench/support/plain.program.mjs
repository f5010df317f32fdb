// What the application is compared with: Nest and Handlebars, the same views, headers and parsers, no sign-in.
import 'reflect-metadata';
import { applyDecorators, Controller, Get, Header, Module, Render } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { readEnv } from '../../dist/config/env.js';
import { LeanExpressAdapter } from '../../dist/http/lean-express.adapter.js';
import { securityHeaders } from '../../dist/http/security-headers.js';
import { useViews } from '../../dist/http/view-engine.js';
import { serve } from './remote.mjs';

serve({
  async start(pages, env, { lean }) {
    const adapter = lean ? new LeanExpressAdapter() : new ExpressAdapter();
    const app = await NestFactory.create(moduleOf(pages), adapter, { logger: false, bodyParser: false });
    app.disable('x-powered-by');
    app.set('etag', false);
    app.use(securityHeaders(readEnv(env)));
    app.useBodyParser('urlencoded', { extended: false, limit: '32kb' });
    useViews(app, { cache: true });
    await app.listen(0);
    return app.getHttpServer().address().port;
  },
});

/** A controller such as one would write by hand, without the syntax of decorators, which Node does not have. */
function moduleOf(pages) {
  class PageController {}
  for (const [path, { view, model }] of Object.entries(pages)) {
    const method = {
      value: () => ({ ...model, frame: () => model.frame }),
      configurable: true,
      writable: true,
    };
    Object.defineProperty(PageController.prototype, view, method);
    applyDecorators(Get(path), Render(view), Header('Cache-Control', 'no-store'))(
      PageController.prototype,
      view,
      method,
    );
  }
  Controller()(PageController);
  class PlainModule {}
  Module({ controllers: [PageController] })(PlainModule);
  return PlainModule;
}
