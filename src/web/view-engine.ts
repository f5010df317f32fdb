import { join } from 'node:path';
import { renderPages, serveAssets, timeElement, Views } from '@mridang/nestjs-program';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import hbs from 'hbs';
import type { TextKey } from '../texts/en.js';
import { locales, type Language } from '../texts/language.js';
import { text } from '../texts/text.js';
import type { Frame } from './page-frame.js';

/**
 * Sets up Handlebars for `views/` and serves `public/` under `/static`.
 *
 * @param root the folder that holds both
 * @param options.basePath goes before every address of this application
 * @param frameOf makes the layout data of an answer
 */
export function useViews(
  app: NestExpressApplication,
  root: string,
  { cache, basePath }: { cache: boolean; basePath: string },
  frameOf: (request: Request, response: Response) => Frame,
) {
  const { handlebars } = hbs.create();
  const { escapeExpression } = handlebars;
  const addressOf = serveAssets(app, join(root, 'public'), { cache });
  const helpers = (language: Language) => ({
    asset: (name: string) => basePath + addressOf(name),
    path: (path: string) => basePath + path,
    t: (key: TextKey, { hash }: { hash: Record<string, string | undefined> }) => text(language, key, hash),
    breakable: (name: string) => new handlebars.SafeString(escapeExpression(name).replaceAll(':', ':<wbr>')),
    time: (seconds: number) => new handlebars.SafeString(timeElement(seconds, locales[language])),
  });
  const views = new Views(handlebars, join(root, 'views'), { cache, helpers });
  renderPages(app, (page, model, request, response) => {
    const frame = frameOf(request, response);
    return views.render(page, frame.language, { ...model, frame });
  });
}
