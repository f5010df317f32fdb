import type Handlebars from 'handlebars';
import {
  conditional,
  hashOf,
  inContext,
  isLiteral,
  joined,
  repeated,
  valueOf,
  within,
  type Data,
  type Literal,
  type Members,
  type Part,
  type Value,
} from './parts.js';
import { utf8Bytes } from './utf8-bytes.js';

/** What views are made of. */
export interface ViewSources {
  handlebars: typeof Handlebars;
  /** by name */
  partials: ReadonlyMap<string, string>;
  helpers: Helpers;
}

/**
 * Helpers that return a value, as in Handlebars. It depends on the arguments, on `this` and on `data` alone: a helper with literals that uses
 * neither is called once, when the view is compiled.
 */
export type Helpers = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Returns a page for a model, as `utf8Bytes`. */
export type Render = (model: object) => string;

/** The place of a node. */
interface Place {
  /** names of the partials around it */
  partials: readonly string[];
  /** number of contexts around it that belong to the same file */
  level: number;
  /** members of its context that are literals */
  literals: ReadonlyMap<string, Literal>;
  /** what `@partial-block` stands for */
  block: { program: hbs.AST.Program; place: Place } | undefined;
}

type PartialNode = hbs.AST.PartialStatement & Partial<Pick<hbs.AST.PartialBlockStatement, 'program'>>;

const noLiterals: ReadonlyMap<string, Literal> = new Map();

/** Handlebars has rules of its own for members with these names. */
const GUARDED = /^(constructor|__\w+__)$/;

/** As in Handlebars, `this` of a helper where there is no context. */
const nullContext = Object.freeze({});

const noData: Data = {};

/** `this` and `data` of a helper that is called when the view is compiled. */
const unknown = new Proxy(
  {},
  Object.fromEntries(
    (['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor'] as const).map((trap) => [
      trap,
      () => {
        throw new Error('Known when a page is rendered');
      },
    ]),
  ),
);

/** What is escaped, or has more than one byte. */
const SPECIAL = /[&<>"'`=\u0080-\uffff]/;

/** Handlebars itself has to render the view. */
class NotCompilable extends Error {}

/**
 * Compiles a view. What is the same for every model becomes a constant, through partials and their blocks; members, helpers, `if`,
 * `unless`, `each` and `with` are left. A view with anything else, such as an inline partial, is rendered by Handlebars. The lines of a
 * partial are not indented: that would change values of several lines.
 *
 * @throws as Handlebars for a syntax error
 */
export function compileView(source: string, sources: ViewSources): Render {
  const { handlebars, helpers } = sources;
  try {
    const place = { partials: [], level: 0, literals: noLiterals, block: undefined };
    const page = new Compiler(sources).program(handlebars.parse(source), place);
    return typeof page === 'string' ? () => page : (model) => page(model, undefined, { root: model });
  } catch (error) {
    if (!(error instanceof NotCompilable)) throw error;
    const template = handlebars.compile<object>(source, { preventIndent: true });
    const options = { helpers, allowProtoMethodsByDefault: true, allowProtoPropertiesByDefault: true };
    return (model) => utf8Bytes(template(model, options));
  }
}

class Compiler {
  constructor(private readonly sources: ViewSources) {}

  program({ body, blockParams }: hbs.AST.Program, place: Place): Part {
    if (blockParams?.length) throw new NotCompilable();
    return joined(body.map((node) => this.statement(node, place)));
  }

  private statement(node: hbs.AST.Statement, place: Place): Part {
    switch (node.type) {
      case 'CommentStatement':
        return '';
      case 'ContentStatement':
        return utf8Bytes((node as hbs.AST.ContentStatement).value);
      case 'MustacheStatement':
        return this.mustache(node as hbs.AST.MustacheStatement, place);
      case 'BlockStatement':
        return this.block(node as hbs.AST.BlockStatement, place);
      case 'PartialStatement':
      case 'PartialBlockStatement':
        return this.partial(node as PartialNode, place);
      default:
        throw new NotCompilable();
    }
  }

  private mustache(node: hbs.AST.MustacheStatement, place: Place): Part {
    const { escapeExpression } = this.sources.handlebars;
    const value = called(this.call(node, place));
    const escaped = (found: unknown) =>
      typeof found === 'string' && !SPECIAL.test(found)
        ? found
        : utf8Bytes(escapeExpression(found as string));
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- as Handlebars does
    const plain = (found: unknown) => utf8Bytes(String(found ?? ''));
    const text = node.escaped ? escaped : plain;
    return isLiteral(value) ? text(value.value) : (context, up, data) => text(value(context, up, data));
  }

  private block(node: hbs.AST.BlockStatement, place: Place): Part {
    const { original: name } = node.path;
    const [param] = node.params;
    if (
      !param ||
      node.params.length > 1 ||
      (node.hash as unknown) ||
      Object.hasOwn(this.sources.helpers, name)
    )
      throw new NotCompilable();
    const value = called(this.expression(param, place));
    const deeper = { ...place, level: place.level + 1, literals: noLiterals };
    const isConditional = name === 'if' || name === 'unless';
    const main = this.optional(node.program, isConditional ? place : deeper);
    const other = this.optional(node.inverse, place);
    if (name === 'if') return conditional(value, main, other);
    if (name === 'unless') return conditional(value, other, main);
    if (name === 'each') return repeated(value, main, other);
    if (name === 'with') return within(value, main, other);
    throw new NotCompilable();
  }

  private optional(program: hbs.AST.Program | undefined, place: Place): Part {
    return program ? this.program(program, place) : '';
  }

  private partial(node: PartialNode, place: Place): Part {
    const [param, ...others] = node.params;
    if (others.length > 0) throw new NotCompilable();
    const members = this.members(node.hash, place);
    const literals = new Map(param ? noLiterals : place.literals);
    for (const [name, value] of members)
      if (isLiteral(value)) literals.set(name, value);
      else literals.delete(name);
    const part = this.partialBody(node, literals, place);
    return joined([
      node.indent ?? '',
      param || members.length > 0 ? inContext(param && this.expression(param, place), members, part) : part,
    ]);
  }

  private partialBody({ name, program }: PartialNode, literals: Place['literals'], place: Place): Part {
    const { type, original } = name as hbs.AST.PathExpression;
    if (type === 'PathExpression' && original === '@partial-block' && place.block)
      return this.program(place.block.program, { ...place.block.place, level: 0, literals });
    const source = type === 'PathExpression' ? this.sources.partials.get(original) : undefined;
    if (source === undefined || place.partials.includes(original)) throw new NotCompilable();
    return this.program(
      named(`partials/${original}.hbs`, () => this.sources.handlebars.parse(source)),
      {
        partials: [...place.partials, original],
        level: 0,
        literals,
        block: program ? { program, place } : place.block,
      },
    );
  }

  private expression(node: hbs.AST.Expression, place: Place): Value {
    switch (node.type) {
      case 'StringLiteral':
      case 'NumberLiteral':
      case 'BooleanLiteral':
        return { value: (node as hbs.AST.StringLiteral).value };
      case 'UndefinedLiteral':
        return { value: undefined };
      case 'NullLiteral':
        return { value: null };
      case 'PathExpression':
        return this.path(node as hbs.AST.PathExpression, place);
      case 'SubExpression':
        return this.call(node as hbs.AST.SubExpression, place);
      default:
        throw new NotCompilable();
    }
  }

  private path(path: hbs.AST.PathExpression, { level, literals }: Place): Value {
    const { data, depth, original } = path;
    if (path.type !== 'PathExpression' || depth > (data ? 0 : level)) throw new NotCompilable();
    const names = path.parts;
    const [first, second] = names;
    if (names.some((name) => GUARDED.test(name)) || original === '@partial-block') throw new NotCompilable();
    if (data)
      return (_context, _up, frame) =>
        names.reduce<unknown>((object, name) => object && (object as Data)[name], frame);
    if (depth > 0)
      return (_context, up) => {
        let outer = up;
        for (let rest = depth; rest > 1; rest--) outer = outer?.up;
        return names.reduce(member, outer?.context);
      };
    if (first === undefined) return (context) => context;
    if (second === undefined) return literals.get(first) ?? ((context) => member(context, first));
    if (names.length === 2) return (context) => member(member(context, first), second);
    return (context) => names.reduce(member, context);
  }

  /** The call of a helper, or a path alone. */
  private call(node: hbs.AST.SubExpression | hbs.AST.MustacheStatement, place: Place): Value {
    const path = node.path as hbs.AST.PathExpression;
    const { handlebars, helpers } = this.sources;
    const { original: name } = path;
    if (!Object.hasOwn(helpers, name)) {
      const isHelper =
        Object.hasOwn(handlebars.helpers, name) || node.params.length > 0 || (node.hash as unknown);
      if (isHelper) throw new NotCompilable();
      return this.path(path, place);
    }
    const helper = helpers[name] as (...args: unknown[]) => unknown;
    const params = node.params.map((param) => this.expression(param, place));
    const members = this.members(node.hash, place);
    const call = (self: unknown, values: unknown[], hash: Data, data: Data) =>
      helper.call(self, ...values, { name, hash, data });
    const given = [...params, ...members.map(([, value]) => value)];
    if (given.length > 0 && given.every(isLiteral)) {
      const values = params.map((param) => valueOf(param, undefined, undefined, noData));
      const hash = hashOf(members, undefined, undefined, noData);
      try {
        return { value: call(unknown, values, hash, unknown) };
      } catch {
        // It needs `this` or `data`, or fails for each page.
      }
    }
    return (context, up, data) => {
      const values = params.map((param) => valueOf(param, context, up, data));
      return call(context ?? nullContext, values, hashOf(members, context, up, data), data);
    };
  }

  private members(hash: hbs.AST.Hash | undefined, place: Place): Members {
    return (hash?.pairs ?? []).map(({ key, value }) => [key, this.expression(value, place)]);
  }
}

const member = (object: unknown, name: string): unknown =>
  object === undefined || object === null ? object : (object as Data)[name];

/** Handlebars calls functions in a model. */
function called(value: Value): Value {
  if (isLiteral(value)) return value;
  return (context, up, data) => {
    const found = value(context, up, data);
    return typeof found === 'function' ? (found as () => unknown).call(context) : found;
  };
}

/** Adds the name of the file to errors. */
export function named<T>(file: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (error instanceof NotCompilable || !(error instanceof Error) || error.message.includes('.hbs: '))
      throw error;
    throw new Error(`${file}: ${error.message}`, { cause: error });
  }
}
