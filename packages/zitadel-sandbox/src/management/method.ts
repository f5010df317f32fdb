import { z } from 'zod';
import type { SandboxUser } from '../directory/users.js';
import type { Instance } from '../instance/instance.js';
import { ManagementError } from './management.error.js';
import type { Rights } from './rights.js';

/** Who calls a method, and where. */
export interface Caller {
  instance: Instance;
  user: SandboxUser;
  rights: Rights;
}

/** A method of a service: takes the JSON of a request message, returns that of the response message. */
export type Method = (message: unknown, caller: Caller) => object | Promise<object>;

/** A method whose request is checked; as in protobuf's JSON, unknown fields are ignored. */
export function method<Schema extends z.ZodType>(
  schema: Schema,
  run: (request: z.infer<Schema>, caller: Caller) => object | Promise<object>,
): Method {
  return (message, caller) => {
    const { data, error } = schema.safeParse(message);
    if (error) throw new ManagementError('invalid_argument', error.issues[0]?.message ?? 'invalid');
    return run(data, caller);
  };
}

const maxRunes = 200;

/** A text of 1 to 200 characters; `field` is its name in the error, such as `CreateProjectRequest.Name`. */
export function text(field: string) {
  return z
    .string()
    .default('')
    .refine((value) => value !== '' && [...value].length <= maxRunes, {
      message: `invalid ${field}: value length must be between 1 and ${maxRunes} runes, inclusive`,
    });
}

/** A word of an enum; unknown ones count as missing. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words).optional().catch(undefined);
}

export const texts = z.array(z.string()).optional();

const defaultLimit = 100;
const maxLimit = 1000;

export const pagination = z
  .object({ limit: z.number().optional(), offset: z.coerce.number().optional(), asc: z.boolean().optional() })
  .optional();

/** One page of a list, newest first, and how many there are, as Zitadel counts: also those the caller may not see. */
export function pageOf<View>(
  found: readonly View[],
  wanted: z.infer<typeof pagination>,
  maySee: (view: View) => boolean = () => true,
): { pagination: object; page: View[] } {
  const { limit = defaultLimit, offset = 0, asc = false } = wanted ?? {};
  if (limit > maxLimit) throw new ManagementError('invalid_argument', 'Limit exceeded', 'QUERY-4M0fs');
  const sorted = asc ? [...found] : found.toReversed();
  const total = found.length === 0 ? {} : { totalResult: String(found.length) };
  return {
    pagination: { ...total, appliedLimit: String(limit) },
    // the page is cut first, and filtered by permission afterwards
    page: sorted.slice(offset, offset + limit).filter(maySee),
  };
}

/** A list field of a response: left out when it is empty. */
export function listField<Name extends string>(name: Name, list: readonly unknown[]): object {
  return list.length === 0 ? {} : { [name]: list };
}

/** Whether a text passes a filter with Zitadel's words for the comparison. */
export function passes(value: string, wanted: string, comparison = 'EQUALS'): boolean {
  if (comparison.endsWith('_IGNORE_CASE'))
    return passes(value.toLowerCase(), wanted.toLowerCase(), comparison.replace('_IGNORE_CASE', ''));
  if (comparison.endsWith('STARTS_WITH')) return value.startsWith(wanted);
  if (comparison.endsWith('CONTAINS')) return value.includes(wanted);
  return value === wanted;
}

export const textFilter = z.string().optional();
