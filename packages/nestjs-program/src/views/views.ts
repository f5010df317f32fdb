import { readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import type Handlebars from 'handlebars';
import { compileView, named, type Helpers, type Render } from './compile-view.js';

/** The pages of a folder, each compiled once per language. */
export class Views<Language extends string> {
  private readonly compiled = new Map<string, Render>();

  /**
   * @param folder holds `pages/` and `partials/` with Handlebars files
   * @param options.cache whether the files stay as they are while the program runs
   * @param options.helpers makes the helpers of a language
   */
  constructor(
    private readonly handlebars: typeof Handlebars,
    private readonly folder: string,
    private readonly options: { cache: boolean; helpers: (language: Language) => Helpers },
  ) {}

  /**
   * Returns a page, as `utf8Bytes`.
   *
   * @throws for a page there is not, and as Handlebars
   */
  render(page: string, language: Language, model: object): string {
    const key = `${language} ${page}`;
    const render = this.compiled.get(key) ?? this.compile(page, language);
    if (this.options.cache) this.compiled.set(key, render);
    return named(`pages/${page}.hbs`, () => render(model));
  }

  private compile(page: string, language: Language): Render {
    const partials = new Map(
      readdirSync(join(this.folder, 'partials')).map((file) => [
        parse(file).name,
        this.read('partials', file),
      ]),
    );
    for (const name of Object.keys(this.handlebars.partials)) this.handlebars.unregisterPartial(name);
    this.handlebars.registerPartial(Object.fromEntries(partials));
    const sources = { handlebars: this.handlebars, partials, helpers: this.options.helpers(language) };
    return named(`pages/${page}.hbs`, () => compileView(this.read('pages', `${page}.hbs`), sources));
  }

  private read(...path: string[]): string {
    return readFileSync(join(this.folder, ...path), 'utf8');
  }
}
