import type { Context } from '../storage/provider.js';
import { OidcError } from './oidc.error.js';

/** A request with its parameters. `params` merges form and query: the query overrides the form, the last value wins. */
export interface Call {
  ctx: Context;
  query: Record<string, string>;
  form: Record<string, string>;
  params: Record<string, string | undefined>;
  /** false when query, form or content type is malformed; the parameters then hold what could be parsed */
  isReadable: boolean;
}

/** The default of Go's net/http, which Zitadel uses. */
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

/** @throws OidcError when the parameters are malformed */
export function checkReadable(call: Call): void {
  if (!call.isReadable) throw new OidcError('invalid_request', 'error parsing form');
}

/** Returns undefined when the form is malformed or too large. */
async function readForm(ctx: Context): Promise<string | undefined> {
  const type = ctx.get('content-type');
  if (type && !mediaType.test(type)) return undefined;
  return ctx.is('application/x-www-form-urlencoded') ? readBody(ctx) : '';
}

/** The body; undefined when it is too large. */
export async function readBody(ctx: Context): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    // read the body to its end, or the client gets a connection reset instead of the response
    if (size <= maxBodyBytes) chunks.push(bytes);
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks).toString();
}

/** The parameters of a query or form body. As in Zitadel, the last of several values wins. */
export function parametersOf(encoded: string): Record<string, string> {
  // no prototype, as a parameter may be named `constructor` or `__proto__`
  const values = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(encoded)) values[name] = value;
  return values;
}

/** False when Go's url.ParseQuery would return an error: a malformed escape or a semicolon. */
function isReadable(encoded: string): boolean {
  return !encoded.includes(';') && !/%(?![0-9a-f]{2})/i.test(encoded);
}
