import { Controller, Get, Header, Module, Render, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestHandler, Response } from 'express';
import { headersOf, LeanExpressAdapter, renderPages, utf8Bytes } from '../src/index.js';

@Controller()
class Pages {
  @Get('page')
  @Render('page')
  page() {
    return { name: 'Zoë <3' };
  }

  @Get('feed')
  @Header('Content-Type', 'application/xml')
  @Render('page')
  feed() {
    return { name: 'Zoë' };
  }

  @Get('plain')
  @Render('plain')
  plain() {
    return { name: '\u013cb\u013e' };
  }

  @Get('callback')
  callback(@Res() response: Response) {
    response.render('page', () => undefined);
  }
}

@Module({ controllers: [Pages] })
class App {}

let app: NestExpressApplication;
let origin: string;
beforeAll(async () => {
  app = await NestFactory.create<NestExpressApplication>(App, new LeanExpressAdapter(), { logger: false });
  renderPages(app, (page, model) => {
    const { name, site } = model as { name: string; site?: string };
    return page === 'plain' ? name : utf8Bytes(`<p>${name}</p>${site}`);
  });
  (app.getHttpAdapter().getInstance() as { locals: object }).locals = { site: 'Blog' };
  await app.listen(0, '127.0.0.1');
  origin = await app.getUrl();
});
afterAll(() => app.close());

describe('a page', () => {
  it('is sent as UTF-8 with its length, and sees the locals of the application', async () => {
    const answer = await fetch(`${origin}/page`);
    expect(await answer.text()).toBe('<p>Zoë <3</p>Blog');
    expect([answer.headers.get('content-type'), answer.headers.get('content-length')]).toEqual([
      'text/html; charset=utf-8',
      '18',
    ]);
    const head = await fetch(`${origin}/page`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '18', '']);
  });

  it('keeps the content type of the route', async () => {
    expect((await fetch(`${origin}/feed`)).headers.get('content-type')).toBe('application/xml');
  });

  it('is refused where characters would become others, and with a callback', async () => {
    for (const path of ['/plain', '/callback']) {
      const answer = await fetch(origin + path);
      expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('<b>')]);
    }
  });
});

describe('headersOf()', () => {
  it('returns the header fields of a middleware', () => {
    const middleware: RequestHandler = (_request, response, next) => {
      response.setHeader('X-One', '1');
      response.setHeader('X-Two', '2');
      response.removeHeader('X-Two');
      next();
    };
    expect([...headersOf(middleware)]).toEqual([['X-One', '1']]);
  });

  it('refuses a middleware that is not done when it returns, and throws the error of one', () => {
    expect(() => headersOf((_request, _response, next) => void setImmediate(next))).toThrow(TypeError);
    expect(() => headersOf((_request, _response, next) => next(new Error('own')))).toThrow('own');
  });
});
