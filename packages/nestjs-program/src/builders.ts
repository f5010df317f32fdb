import { isIP } from 'node:net';
import { z } from 'zod';
import type { Variable } from './variable.js';

/** An http(s) address without credentials and fragment. */
export const webUrl = z.string().refine((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
});

/** A comma-separated list; empty by default. */
export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

export const YEAR_SECONDS = 31_536_000;

export const trueOrFalse = z.enum(['true', 'false']).transform((value) => value === 'true');

/** A variable that is `true` or `false`. */
export const flag = (byDefault: boolean, about: string) =>
  ({
    about,
    expected: 'true or false',
    default: String(byDefault),
    schema: trueOrFalse.default(byDefault),
  }) satisfies Variable;

/** A variable that has one of a few values. */
export const choice = <const Value extends string>(
  values: readonly Value[],
  byDefault: Value,
  about: string,
) =>
  ({
    about,
    expected: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
    default: byDefault,
    schema: z.enum(values).default(byDefault),
  }) satisfies Variable;

/** A variable that is a whole number. `unit` says of what. */
export const wholeNumber = (
  unit: string,
  [min, max]: readonly [number, number],
  byDefault: number,
  about: string,
) =>
  ({
    about,
    expected: `${unit}, ${min} to ${max}${max === YEAR_SECONDS ? ' (a year)' : ''}`,
    default: String(byDefault),
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max)).default(byDefault),
  }) satisfies Variable;

/** A variable that is a port to listen on. */
export const port = (byDefault: number, about: string) =>
  wholeNumber('a port number', [1, 65_535], byDefault, about);

/** A variable that is a whole number of seconds. */
export const seconds = (range: readonly [number, number], byDefault: number, about: string) =>
  wholeNumber('a number of seconds', range, byDefault, about);

/** A variable that is a list of origins. */
export const originList = (example: string, about: string) =>
  ({
    about,
    expected: `a comma-separated list of origins, such as ${example}, or nothing`,
    schema: list
      .refine((all) =>
        all.every((origin) => /^https?:\/\/[^/?#\s;,*@]+$/i.test(origin) && URL.canParse(origin)),
      )
      .transform((all) => all.map((origin) => new URL(origin).origin)),
  }) satisfies Variable;

const PROXY_WORDS = ['loopback', 'linklocal', 'uniquelocal'];

/** Express's `trust proxy`, without hop counts: a client that bypasses a proxy could then forge its address. */
export const proxies = list.refine((all) =>
  all.every((proxy) => PROXY_WORDS.includes(proxy) || isNetwork(proxy)),
);

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return (
    bits > 0 &&
    rest.length === 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}
