import { Buffer } from 'node:buffer';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import hbs from 'hbs';
import { Views } from '../src/index.js';
import { compileView } from '../src/views/compile-view.js';

const partials = {
  card: '<b>{{title}}</b>{{> @partial-block}}{{#each list}}{{title}}{{../title}}{{/each}}',
  frame: '<i>{{#> card title=name}}{{> @partial-block}}{{name}}{{/card}}</i>',
  row: '[{{#if note}}{{note}}{{else}}-{{/if}}{{name}}{{#each list}}{{@index}}{{this}}{{/each}}]',
  outer: '{{../name}}',
  lines: '<p>\n  {{text}}\n</p>\n',
};

type Shown = string | number | boolean | null | undefined;

/** Handlebars as it is, and the same with compiled views. */
function both(source: string, handlebars = hbs.create().handlebars) {
  handlebars.registerPartial(partials);
  const helpers = {
    up: (text: Shown) => String(text ?? '').toUpperCase(),
    say: (text: Shown, { hash }: { hash: Record<string, Shown> }) =>
      `${String(text ?? '')}:${String(hash['to'] ?? '')}`,
    raw: (text: Shown) => new handlebars.SafeString(`<hr>${handlebars.escapeExpression(String(text ?? ''))}`),
    own(this: { name: string }, _text: string) {
      return this.name;
    },
    root: (_text: string, { data }: { data: { root: { name: string } } }) => data.root.name,
  };
  const options = { helpers, allowProtoMethodsByDefault: true, allowProtoPropertiesByDefault: true };
  const render = compileView(source, { handlebars, partials: new Map(Object.entries(partials)), helpers });
  return {
    expected: (model: object) => handlebars.compile<object>(source, { preventIndent: true })(model, options),
    rendered: (model: object) => Buffer.from(render(model), 'latin1').toString(),
  };
}

const object = <T>(members: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  fc.record(members, { noNullPrototype: true, requiredKeys: [] });

const text = fc.oneof(
  fc.constantFrom('', 'plain', '<b>"&\'`=', 'é✓😀', 'two\nlines', '{{name}}', '·'),
  fc.string({ maxLength: 5 }),
);
const value = fc.oneof(text, fc.constantFrom(null, 0, 1.5, true, false, []));

const model = object({
  name: value,
  title: value,
  note: value,
  user: object({ name: value, title: value }),
  list: fc.oneof(
    fc.array(
      fc.oneof(object({ name: value, title: value, list: fc.array(value, { maxLength: 2 }) }), value),
      {
        maxLength: 3,
      },
    ),
    fc.dictionary(fc.constantFrom('a', 'b'), value, { noNullPrototype: true }),
  ),
  text,
});

const paths = [
  'name',
  'title',
  'note',
  'this.title',
  'user.name',
  '@root.user.name',
  '@root.list.0.name',
  'none',
];
const path = fc.constantFrom(...paths);
const argument = fc.oneof(path, fc.constantFrom('"lit<eral"', '7', 'true', 'null', '(up name)', '(up "x")'));

/** Templates with what is compiled. `../` needs a context of the same file around it. */
const { template } = fc.letrec<{ template: string; node: string; inner: string }>((tie) => {
  const bodyOf = (node: fc.Arbitrary<string>) =>
    fc.array(node, { maxLength: 3 }).map((nodes) => nodes.join(''));
  const leaf = fc.oneof(
    fc.constantFrom('a ', '\n', ' <p>\n', '·', '{{! comment }}', '{{~name~}} '),
    path.map((name) => `{{${name}}}`),
    fc.constant('{{{text}}}'),
    argument.map((name) => `{{up ${name}}}`),
    fc.tuple(argument, argument).map(([one, other]) => `{{say ${one} to=${other}}}`),
    argument.map((name) => `{{raw ${name}}}{{own ${name}}}{{root ${name}}}`),
    argument.map((name) => `{{> row note=${name}}}`),
    fc.constantFrom(
      '{{> row}}',
      '{{> row user}}',
      '{{> row user name="x"}}',
      '  {{> lines}}\n',
      '{{> lines text=name}}',
    ),
  );
  const blocks = (body: fc.Arbitrary<string>, inner: fc.Arbitrary<string>) => [
    fc.tuple(argument, body, body).map(([test, yes, no]) => `{{#if ${test}}}${yes}{{else}}${no}{{/if}}`),
    fc.tuple(path, path, body).map(([one, other, yes]) => `{{#if ${one}}}1{{else if ${other}}}${yes}{{/if}}`),
    fc.tuple(argument, body).map(([test, yes]) => `{{#unless ${test}}}\n${yes}\n{{/unless}}\n`),
    fc
      .tuple(fc.constantFrom('list', 'user', 'this'), inner, body)
      .map(
        ([list, item, none]) =>
          `{{#each ${list}}}{{@index}}{{@key}}{{@first}}{{@last}}${item}{{else}}${none}{{/each}}`,
      ),
    fc
      .tuple(fc.constantFrom('user', 'list', 'name', '"text"'), inner, body)
      .map(([one, some, none]) => `{{#with ${one}}}${some}{{else}}${none}{{/with}}`),
    fc.tuple(argument, body).map(([title, some]) => `{{#> card title=${title}}}${some}{{/card}}`),
    fc.tuple(argument, body).map(([name, some]) => `{{#> frame name=${name}}}\n${some}\n{{/frame}}\n`),
  ];
  const depth = { maxDepth: 3, depthIdentifier: 'nodes' };
  return {
    template: bodyOf(tie('node')),
    node: fc.oneof(depth, leaf, ...blocks(bodyOf(tie('node')), bodyOf(tie('inner')))),
    inner: fc.oneof(
      depth,
      leaf,
      path.filter((name) => !/^[@t]/.test(name)).map((name) => `{{../${name}}}{{up ../${name}}}`),
      ...blocks(bodyOf(tie('inner')), bodyOf(tie('inner'))),
    ),
  };
});

function withoutCompile() {
  const compile = () => {
    throw new Error('Handlebars renders it');
  };
  return Object.assign(hbs.create().handlebars, { compile });
}

const models = [
  {
    name: '<Ann & "Bo">',
    title: 'two\nlines ✓',
    which: 'row',
    user: { name: "d'Or" },
    list: [
      { name: 'x', title: 0 },
      { name: 'y=`', title: false },
    ],
  },
  { name: '', list: [], user: null },
];

describe('a compiled view', () => {
  it('renders as Handlebars does', () => {
    fc.assert(
      fc.property(template, model, model, (source, one, other) => {
        const { expected, rendered } = both(source);
        for (const given of [one, other, one]) expect(rendered(given)).toBe(expected(given));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    '{{#> frame name=(up "a")}}{{> row}}{{/frame}}',
    '{{#each list}}{{name}}{{../name}}{{> row note=../title}}{{else}}none{{/each}}',
    '{{#if user.name}}{{say "a" to=name}}{{else if list}}b{{else}}{{title}}{{/if}}',
    '{{#with user}}{{#unless none}}{{name}}{{/unless}}{{else}}{{own "x"}}{{/with}}',
    '{{raw @root.name}}{{{name}}}{{~! comment ~}} {{> lines text=title}}',
  ])('needs no Handlebars to render %s', (source) => {
    const { expected } = both(source);
    const { rendered } = both(source, withoutCompile());
    for (const given of models) expect(rendered(given)).toBe(expected(given));
  });

  it.each(readdirSync('views/pages'))('needs no Handlebars to render the page %s', (page) => {
    const sourceOf = (path: string) => readFileSync(`views/${path}`, 'utf8');
    const named = readdirSync('views/partials').map(
      (file) => [parse(file).name, sourceOf(`partials/${file}`)] as const,
    );
    const helpers = Object.fromEntries(
      ['t', 'path', 'asset', 'time', 'breakable'].map((name) => [name, String]),
    );
    const sources = { handlebars: withoutCompile(), partials: new Map(named), helpers };
    expect(() => compileView(sourceOf(`pages/${page}`), sources)).not.toThrow();
  });

  it.each([
    ['an inline partial', '{{#*inline "own"}}<{{name}}>{{/inline}}{{> own}}'],
    ['the name of a partial in the model', '{{> (lookup . "which") note=name}}'],
    ['block parameters', '{{#each list as |item at|}}{{at}}{{item.name}}{{/each}}'],
    ['a section', '{{#user}}{{name}}{{/user}}{{^none}}none{{/none}}'],
    ['a block helper', '{{#bold}}{{name}}{{/bold}}'],
    ['a block for a partial there is not', '{{#> none}}{{name}}{{/none}}'],
    ['an option of `if`', '{{#if list.length includeZero=true}}{{name}}{{/if}}'],
    ['a context of another file', '{{#each list}}{{> outer}}{{/each}}'],
    ['raw text', '{{{{bold}}}}{{name}}{{{{/bold}}}}'],
    ['a guarded member', '{{constructor.name}}{{user.constructor.name}}'],
    ['a literal as name', '{{"name"}}'],
    ['data of another level', '{{#each list}}{{#each ../list}}{{@../index}}{{/each}}{{/each}}'],
  ])('is rendered by Handlebars with %s', (_what, source) => {
    const { handlebars } = hbs.create();
    handlebars.registerHelper('bold', function (this: object, { fn }: { fn: (of: object) => string }) {
      return `<b>${fn(this)}</b>`;
    });
    const { expected, rendered } = both(source, handlebars);
    const [given = {}] = models;
    expect(rendered(given)).toBe(expected(given));
  });

  it('throws as Handlebars does', () => {
    expect(() => both('{{#if a}}').rendered({})).toThrow('Parse error');
    expect(() => both('{{none "a"}}').rendered({})).toThrow('Missing helper: "none"');
    expect(() => both('{{> none}}').rendered({})).toThrow('The partial none could not be found');
  });

  it('leaves the lines of a value as they are', () => {
    expect(both('  {{> lines text=title}}').rendered(models[0] ?? {})).toContain('two\nlines');
  });

  it('calls a helper with literals once', () => {
    let calls = 0;
    const helpers = { count: (_of: string) => ++calls };
    const { handlebars } = hbs.create();
    const render = compileView('{{count "a"}}{{count name}}', { handlebars, partials: new Map(), helpers });
    expect([render({}), render({})]).toEqual(['12', '13']);
  });

  it('calls a helper with literals for each page where it asks what is known of the page', () => {
    type Options = { data?: { root?: { roles?: string[] } } };
    const helpers = {
      can: (role: string, { data }: Options) => data?.root?.roles?.includes(role) ?? false,
      has(this: object | undefined, name: string) {
        return this ? name in this : false;
      },
    };
    const { handlebars } = hbs.create();
    const source = '{{can "admin"}} {{has "roles"}}';
    const render = compileView(source, { handlebars, partials: new Map(), helpers });
    expect([render({}), render({ roles: ['admin'] })]).toEqual(['false false', 'true true']);
  });
});

it.each([
  [true, 'one'],
  [false, 'two'],
])('a changed file, with cache: %s', (cache, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'views-'));
  const write = (text: string) => writeFileSync(join(folder, 'partials', 'part.hbs'), text);
  for (const kind of ['pages', 'partials']) mkdirSync(join(folder, kind));
  writeFileSync(join(folder, 'pages', 'page.hbs'), '{{> part}}{{name}}');
  const views = new Views(hbs.create().handlebars, folder, { cache, helpers: () => ({}) });
  write('one');
  expect(views.render('page', 'en', { name: 1 })).toBe('one1');
  write('two');
  expect(views.render('page', 'en', { name: 2 })).toBe(`${expected}2`);
  const broken = '{{> part}}{{#*inline "own"}}{{/inline}}';
  writeFileSync(join(folder, 'pages', 'other.hbs'), broken);
  write('{{#if}}');
  expect(() => views.render('other', 'en', {})).toThrow('partials/part.hbs: Parse error');
  rmSync(join(folder, 'partials', 'part.hbs'));
  expect(() => views.render('other', 'en', {})).toThrow(
    'pages/other.hbs: The partial part could not be found',
  );
  rmSync(folder, { recursive: true });
});
