import type { Context } from './provider.js';
import { isReadable, parametersOf } from './parameters.js';
import { OidcError } from './oidc.error.js';
import type { Realm } from './realm.js';

/** One request with its parameters: of all values of a name, those of the query after those of the form, the last counts. */
export interface Call {
  ctx: Context;
  query: Record<string, string>;
  form: Record<string, string>;
  params: Record<string, string | undefined>;
  /** false when query, form or content type is broken; what could be read is there all the same */
  isReadable: boolean;
}

/** Answers one endpoint. */
export type Endpoint = (call: Call, realm: Realm) => Promise<void> | void;

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
