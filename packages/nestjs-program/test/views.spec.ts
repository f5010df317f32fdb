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
    up: (text: unknown) => String(text).toUpperCase(),
    say: (text: unknown, { hash }: { hash: Record<string, unknown> }) => `${String(text)}:${String(hash['to'])}`,
    raw: (text: unknown) => new handlebars.SafeString(`<hr>${handlebars.escapeExpression(String(text))}`),
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
