import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';

const BEYOND_LATIN_1 = /[^\0-\xff]/;

/**
 * Makes `@Render()` and `response.render()` write pages. As in Express, a view sees the locals of the application and of the response.
 *
 * @param render returns a page as `utf8Bytes`
 * @throws `TypeError` for another string, whose characters would become others, and for a callback
 */
export function renderPages(
  app: NestExpressApplication,
  render: (page: string, model: object, request: Request, response: Response) => string,
) {
  const { response } = app.getHttpAdapter().getInstance() as { response: Response };
  response.render = function (this: Response, page: string, model: object = {}, callback?: unknown) {
    if (typeof model === 'function' || callback !== undefined)
      throw new TypeError('response.render() takes no callback: the page is sent');
    const seen = { ...this.app.locals, ...this.locals, ...model };
    const bytes = render(page, seen, this.req, this);
    if (BEYOND_LATIN_1.test(bytes)) throw new TypeError('renderPages: expected utf8Bytes');
    if (!this.hasHeader('Content-Type')) this.setHeader('Content-Type', 'text/html; charset=utf-8');
    this.setHeader('Content-Length', bytes.length);
    this.end(bytes, 'latin1');
  };
}
