import { firstValues } from './first-values.js';
import type { Context } from './provider.js';
import { OidcError } from './oidc.error.js';
import type { Realm } from './realm.js';

/** One request with its parameters: form fields win over query parameters, the first of several values counts. */
export interface Call {
  ctx: Context;
  query: Record<string, string>;
  form: Record<string, string>;
  params: Record<string, string | undefined>;
}

/** Answers one endpoint. */
export type Endpoint = (call: Call, realm: Realm) => Promise<void> | void;

const maxBodyBytes = 1_000_000;

export async function readCall(ctx: Context): Promise<Call> {
  const query = firstValues(ctx.querystring);
  const form = ctx.is('application/x-www-form-urlencoded')
    ? firstValues(await readBody(ctx))
    : firstValues('');
  const params = Object.assign(Object.create(null), query, form) as Record<string, string>;
  return { ctx, query, form, params };
}

async function readBody(ctx: Context): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    // read to its end all the same, or the caller sees a broken connection instead of the answer
    if (size <= maxBodyBytes) chunks.push(bytes);
  }
  if (size > maxBodyBytes) throw new OidcError('invalid_request', 'request body too large', 413);
  return Buffer.concat(chunks).toString();
}
