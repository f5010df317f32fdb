import { readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { serveAssets, timeElement } from '@mridang/nestjs-program';
import type { NestExpressApplication } from '@nestjs/platform-express';
import hbs from 'hbs';
import type { TextKey } from '../texts/en.js';
import { locales } from '../texts/language.js';
import { text } from '../texts/text.js';
import type { Frame } from './page-frame.js';

/**
 * Sets up Handlebars for `views/` and serves `public/` under `/static`.
 *
 * @param root the folder that holds both
 * @param options.basePath goes before every address of this application
 */
export function useViews(
  app: NestExpressApplication,
  root: string,
  { cache, basePath }: { cache: boolean; basePath: string },
) {
  const engine = hbs.create();
  const partials = join(root, 'views/partials');
  registerPartials(engine, partials);
  const addressOf = serveAssets(app, join(root, 'public'), { cache });
  engine.registerHelper('asset', (name: string) => basePath + addressOf(name));
  engine.registerHelper('path', (path: string) => basePath + path);
  engine.registerHelper('t', (key: TextKey, { data, hash }: HelperOptions) =>
    text(data.root.frame.language, key, hash),
  );
  engine.registerHelper(
    'breakable',
    (name: string) =>
      new engine.handlebars.SafeString(engine.handlebars.escapeExpression(name).replaceAll(':', ':<wbr>')),
  );
  engine.registerHelper(
    'time',
    (seconds: number, { data }: HelperOptions) =>
      new engine.handlebars.SafeString(timeElement(seconds, locales[data.root.frame.language])),
  );
  app.engine('hbs', (path: string, model: Model, done: (error: unknown, html?: string) => void) => {
    if (!cache) registerPartials(engine, partials);
    engine.__express(path, resolved(model), done);
  });
  app.setViewEngine('hbs');
  app.setBaseViewsDir(join(root, 'views/pages'));
  // Pages name their layout; hbs would read the file that a local named `layout` points to.
  app.set('view options', { layout: false });
  app.set('view cache', cache);
}

interface HelperOptions {
  hash: Record<string, string | undefined>;
  data: { root: { frame: Frame } };
}

interface Model {
  frame: () => Frame;
  _locals?: unknown;
}

/** Handlebars retains its last model, so the model must not refer to the request. */
function resolved({ _locals, ...model }: Model) {
  return { ...model, frame: model.frame() };
}

function registerPartials(engine: ReturnType<typeof hbs.create>, directory: string) {
  for (const file of readdirSync(directory)) {
    engine.registerPartial(parse(file).name, readFileSync(join(directory, file), 'utf8'));
  }
}
