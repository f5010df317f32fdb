import type { Context } from '../storage/provider.js';
import { OidcError } from './oidc.error.js';

/** One request with its parameters: of all values of a name, those of the query after those of the form, the last counts. */
export interface Call {
  ctx: Context;
  query: Record<string, string>;
  form: Record<string, string>;
  params: Record<string, string | undefined>;
  /** false when query, form or content type is broken; what could be read is there all the same */
  isReadable: boolean;
}

/** What a server written in Go, as Zitadel is, takes by default. */
const maxBodyBytes = 10 * 1024 * 1024;
const methodsWithForm = ['POST', 'PUT', 'PATCH'];
const mediaType = /^[^\s;/]+(\/[^\s;/]+)?\s*(;|$)/;

export async function readCall(ctx: Context): Promise<Call> {
  const form = methodsWithForm.includes(ctx.method) ? await readForm(ctx) : '';
  const query = parametersOf(ctx.querystring);
  const fields = parametersOf(form ?? '');
  const params = Object.assign(Object.create(null), fields, query) as Record<string, string>;
  return {
    ctx,
    query,
    form: fields,
    params,
    isReadable: form !== undefined && isReadable(form) && isReadable(ctx.querystring),
  };
}

/** What an endpoint with parameters says to a request that could not be read. */
export function checkReadable(call: Call): void {
  if (!call.isReadable) throw new OidcError('invalid_request', 'error parsing form');
}

/** Undefined when it cannot be read. */
async function readForm(ctx: Context): Promise<string | undefined> {
  const type = ctx.get('content-type');
  if (type && !mediaType.test(type)) return undefined;
  return ctx.is('application/x-www-form-urlencoded') ? readBody(ctx) : '';
}

async function readBody(ctx: Context): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    // read to its end all the same, or the caller sees a broken connection instead of the answer
    if (size <= maxBodyBytes) chunks.push(bytes);
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks).toString();
}

/** The parameters of a query or form body; the last of several values counts, as in Zitadel. */
export function parametersOf(encoded: string): Record<string, string> {
  // no prototype: a parameter may be named as what every object inherits
  const values = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(encoded)) values[name] = value;
  return values;
}

/** False for what a server written in Go refuses to read: a bad escape, a semicolon. */
export function isReadable(encoded: string): boolean {
  return !encoded.includes(';') && !/%(?![0-9a-f]{2})/i.test(encoded);
}
