import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import hbs from 'hbs';
import { compileView } from '../src/views/compile-view.js';

const partials = {
  card: '<b>{{title}}</b>{{> @partial-block}}{{#each list}}{{title}}{{../title}}{{/each}}',
  frame: '<i>{{#> card title=name}}{{> @partial-block}}{{name}}{{/card}}</i>',
  row: '[{{#if note}}{{note}}{{else}}-{{/if}}{{name}}{{#each list}}{{@index}}{{this}}{{/each}}]',
  lines: '<p>\n  {{text}}\n</p>\n',
};

/** Handlebars as it is, and the same with compiled views. */
function both(source: string) {
  const { handlebars } = hbs.create();
  handlebars.registerPartial(partials);
  const helpers = {
    up: (text: unknown) => String(text ?? '').toUpperCase(),
    say: (text: unknown, { hash }: { hash: Record<string, unknown> }) =>
      `${String(text ?? '')}:${String(hash['to'] ?? '')}`,
    raw: (text: unknown) =>
      new handlebars.SafeString(`<hr>${handlebars.escapeExpression(String(text ?? ''))}`),
    own(this: { name: string }, _text: string) {
      return this.name;
    },
    root: (_text: string, { data }: { data: { root: { name: string } } }) => data.root.name,
  };
  const options = { helpers, allowProtoMethodsByDefault: true, allowProtoPropertiesByDefault: true };
  const template = handlebars.compile<object>(source, { preventIndent: true });
  const render = compileView(source, { handlebars, partials: new Map(Object.entries(partials)), helpers });
  return {
    expected: (model: object) => template(model, options),
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
});
