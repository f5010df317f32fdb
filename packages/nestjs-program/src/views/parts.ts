/** A part of a page: the same for every model, or made from one. */
export type Part = string | Dynamic<string>;

export type Value = Literal | Dynamic<unknown>;

/** @param up the contexts around `context` */
export type Dynamic<T> = (context: unknown, up: Outer | undefined, data: Data) => T;

export interface Literal {
  value: unknown;
}

/** The contexts around one, for `../`. */
interface Outer {
  context: unknown;
  up: Outer | undefined;
}

/** `@root`, `@index` and others. */
export type Data = Readonly<Record<string, unknown>>;

/** Arguments by name. */
export type Members = readonly (readonly [name: string, value: Value])[];

export const isLiteral = (value: Value): value is Literal => typeof value === 'object';

export const valueOf = (value: Value, context: unknown, up: Outer | undefined, data: Data): unknown =>
  isLiteral(value) ? value.value : value(context, up, data);

const textOf = (part: Part, context: unknown, up: Outer | undefined, data: Data): string =>
  typeof part === 'string' ? part : part(context, up, data);

/** Neighbours that are the same for every model become one. */
export function joined(parts: readonly Part[]): Part {
  const merged: Part[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part;
    else merged.push(part);
  }
  const [only = ''] = merged;
  if (merged.length < 2) return only;
  return (context, up, data) => {
    let text = '';
    for (const part of merged) text += textOf(part, context, up, data);
    return text;
  };
}

const isEmptyArray = (value: unknown) => Array.isArray(value) && value.length === 0;

/** `if`: `main` for what is true and no empty list. */
export function conditional(value: Value, main: Part, other: Part): Part {
  const chosen = (found: unknown) => (found && !isEmptyArray(found) ? main : other);
  if (isLiteral(value)) return chosen(value.value);
  return (context, up, data) => textOf(chosen(value(context, up, data)), context, up, data);
}

/** `with`: `main` in the context of a value. */
export function within(value: Value, main: Part, other: Part): Part {
  return (context, up, data) => {
    const found = valueOf(value, context, up, data);
    if ((!found && found !== 0) || isEmptyArray(found)) return textOf(other, context, up, data);
    return textOf(main, found, found === context ? up : { context, up }, data);
  };
}

/** `each`: `main` in the context of each item of a list, or of each member of an object. */
export function repeated(value: Value, main: Part, other: Part): Part {
  return (context, up, data) => {
    const found = valueOf(value, context, up, data);
    const names = isNamed(found) ? Object.keys(found) : undefined;
    const items = listOf(found);
    if (items.length === 0) return textOf(other, context, up, data);
    const around = { context, up };
    const frame: Record<string, unknown> = { ...data };
    let text = '';
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      frame['key'] = names ? names[index] : index;
      frame['index'] = index;
      frame['first'] = index === 0;
      frame['last'] = index === items.length - 1;
      text += textOf(main, item, item === context ? up : around, frame);
    }
    return text;
  };
}

const isNamed = (found: unknown): found is object =>
  typeof found === 'object' && found !== null && !(Symbol.iterator in found);

function listOf(found: unknown): readonly unknown[] {
  if (Array.isArray(found)) return found;
  if (typeof found !== 'object' || found === null) return [];
  return Symbol.iterator in found ? [...(found as Iterable<unknown>)] : Object.values(found);
}

/** A partial with arguments: its context has the members of the context around it, or of `param`, and these. */
export function inContext(param: Value | undefined, members: Members, part: Part): Part {
  if (typeof part === 'string') return part;
  return (context, up, data) => {
    const given = param ? valueOf(param, context, up, data) : context;
    const inside =
      members.length > 0 ? { ...(given as object), ...hashOf(members, context, up, data) } : given;
    return part(inside, inside === context ? up : { context, up }, data);
  };
}

export function hashOf(members: Members, context: unknown, up: Outer | undefined, data: Data) {
  const hash: Record<string, unknown> = {};
  for (const [name, value] of members) hash[name] = valueOf(value, context, up, data);
  return hash;
}
