// The baseline of the application: Nest and Handlebars with the same views, headers and parsers, without sign-in.
// It is configured by its environment, like the application, and imports only what it needs.
import 'reflect-metadata';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { applyDecorators, Controller, Get, Header, Module, Render } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { securityHeaders } from '../../build/web/security-headers.js';
import { useViews } from '../../build/web/view-engine.js';

const { port, site, pages, lean } = JSON.parse(process.env.SETTINGS ?? '');

const app = await NestFactory.create(moduleOf(pages), await adapter(), { logger: false, bodyParser: false });
app.disable('x-powered-by');
app.set('etag', false);
app.use(securityHeaders(site, { origins: [] }));
app.useBodyParser('urlencoded', { extended: false, limit: '32kb' });
const root = fileURLToPath(new URL('../..', import.meta.url));
useViews(app, root, { cache: true, basePath: '' }, ({ path }) => pages[path].model.frame);
await app.listen(port);

async function adapter() {
  if (!lean) return new ExpressAdapter();
  const { LeanExpressAdapter } = await import('@mridang/nestjs-program');
  return new LeanExpressAdapter();
}

/** A controller without decorator syntax, which Node.js does not support. */
function moduleOf(pages) {
  class PageController {}
  for (const [path, { json, view, model }] of Object.entries(pages)) {
    const method = {
      value: () => json ?? model,
      configurable: true,
      writable: true,
    };
    Object.defineProperty(PageController.prototype, path, method);
    applyDecorators(Get(path), Header('Cache-Control', 'no-store'), ...(json ? [] : [Render(view)]))(
      PageController.prototype,
      path,
      method,
    );
  }
  Controller()(PageController);
  class PlainModule {}
  Module({ controllers: [PageController] })(PlainModule);
  return PlainModule;
}
