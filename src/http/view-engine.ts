import { readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import hbs from 'hbs';
import type { Frame } from './page-frame.js';

const folder = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Sets up Handlebars for `views/` and serves `public/` under `/static`. */
export function useViews(app: NestExpressApplication, { cache }: { cache: boolean }) {
  const engine = hbs.create();
  const partials = folder('views/partials');
  registerPartials(engine, partials);
  app.engine('hbs', (path: string, model: Model, done: (error: unknown, html?: string) => void) => {
    if (!cache) registerPartials(engine, partials);
    engine.__express(path, resolved(model), done);
  });
  app.setViewEngine('hbs');
  app.setBaseViewsDir(folder('views/pages'));
  // Pages name their layout themselves; hbs would read the file a local named `layout` points to.
  app.set('view options', { layout: false });
  app.set('view cache', cache);
  app.useStaticAssets(folder('public'), { prefix: '/static', index: false, redirect: false });
}

interface Model {
  frame: () => Frame;
  _locals?: unknown;
}

/** Handlebars keeps what it renders alive for a while: that must not be the request, which is large. */
function resolved({ _locals, ...model }: Model) {
  return { ...model, frame: model.frame() };
}

function registerPartials(engine: ReturnType<typeof hbs.create>, directory: string) {
  for (const file of readdirSync(directory)) {
    engine.registerPartial(parse(file).name, readFileSync(join(directory, file), 'utf8'));
  }
}
