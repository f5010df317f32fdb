import { isIP } from 'node:net';
import { z } from 'zod';
import type { Variable } from './variable.js';

/** An http(s) address without credentials and fragment. */
export const webUrl = z.string().refine((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
});

/** An issuer of Zitadel is an origin. */
export const issuerUrl = webUrl.refine((value) => /^https?:\/\/[^/?]+\/?$/i.test(value));

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

export const origins = list
  .refine((all) => all.every((origin) => /^https?:\/\/[^/?#\s;,*@]+$/i.test(origin) && URL.canParse(origin)))
  .transform((all) => all.map((origin) => new URL(origin).origin));

/** `redis:` or, with TLS, `rediss:`. The path is a database number. */
export const redisUrl = z.string().refine((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return (
    url &&
    /^rediss?:$/.test(url.protocol) &&
    url.hostname &&
    /^(\/\d{0,5})?$/.test(url.pathname) &&
    [url.username, url.password].every(isPercentEncoded)
  );
});

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

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

export const trueOrFalse = z.enum(['true', 'false']).transform((value) => value === 'true');

export const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max));

export const NODE_ENV = {
  about:
    'Production refuses placeholder values and writes JSON logs. Development reads views anew for each page.',
  expected: 'development, test or production',
  default: 'development',
  schema: z.enum(['development', 'test', 'production']).default('development'),
} satisfies Variable;

export const LOG_LEVEL = {
  about: 'How much is logged.',
  expected: 'error, warn, info or debug',
  default: 'info',
  schema: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
} satisfies Variable;

/** Values to be replaced in public examples, and one repeated character. */
export const EXAMPLES = /^(your|change|replace|insert)[-_ ]|^(change|replace)me|^(.)\3{7,}$/i;

/** A command that makes a random value. */
export const randomValue = `node -e "console.log(require('node:crypto').randomBytes(32).toString('hex'))"`;

export const METRICS_TOKEN = {
  about:
    'Whoever brings it as bearer token is answered at /metrics, and nobody else. Without it, requests of this machine itself are.',
  expected: 'at least 16 characters, or nothing',
  how: randomValue,
  examples: EXAMPLES,
  schema: z.string().min(16).optional(),
} satisfies Variable;

export const IDP_PROJECT_ID = {
  about:
    'Project of the API application. Tokens must be meant for it or for the application itself; the web application asks for such tokens where it has an API_URL. Empty: the project a token was asked for counts, and Zitadel decides whether it is the right one.',
  expected: 'the ID of the project, or nothing',
  schema: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
} satisfies Variable;

const seconds = { expected: 'a number of seconds, 1 to 60', schema: wholeNumber(1, 60) };

export const ZITADEL_TIMEOUT = {
  about:
    'How long an answer of Zitadel is awaited. Who signs in waits for it, too: the identity provider behind Zitadel may be slow.',
  ...seconds,
  default: '10',
  schema: seconds.schema.default(10),
} satisfies Variable;

export const INTROSPECTION_TIMEOUT = {
  about:
    'How long a caller of the API waits for Zitadel to say whether a token is good. The web application waits three seconds more for the API: give both the same.',
  ...seconds,
  default: '5',
  schema: seconds.schema.default(5),
} satisfies Variable;

export const ALLOW_INSECURE_HTTP = {
  about:
    'Accepts http:// for Zitadel and for this application on other hosts than this machine. For closed test networks.',
  expected: 'true or false',
  default: 'false',
  schema: trueOrFalse.default(false),
} satisfies Variable;
