import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';

/**
 * Makes `@Render()` and `response.render()` write pages.
 *
 * @param render returns a page as `utf8Bytes`
 */
export function renderPages(
  app: NestExpressApplication,
  render: (page: string, model: object, request: Request, response: Response) => string,
) {
  const { response } = app.getHttpAdapter().getInstance() as { response: Response };
  response.render = function (this: Response, page: string, model: object = {}) {
    const bytes = render(page, model, this.req, this);
    this.setHeader('Content-Type', 'text/html; charset=utf-8');
    this.setHeader('Content-Length', bytes.length);
    this.end(bytes, 'latin1');
  };
}
