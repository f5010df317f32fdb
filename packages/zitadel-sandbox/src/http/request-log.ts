import { appendBounded } from '../storage/bounded-map.js';
import type { Context } from '../storage/provider.js';
import { parametersOf } from './call.js';

/** One request the sandbox got. Holds secrets and tokens: for assertions in tests, never for a log. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  form: Record<string, string>;
  headers: Record<string, string>;
  /** 0 until it is answered */
  status: number;
  /** milliseconds since 1970 */
  at: number;
}

/** The latest requests, the oldest first. */
export class RequestLog {
  readonly requests: RecordedRequest[] = [];

  /** Its form is not read yet. */
  add(ctx: Context): RecordedRequest {
    const headers = Object.entries(ctx.headers).map(([name, value]) => [name, String(value)]);
    const record: RecordedRequest = {
      method: ctx.method,
      path: ctx.path,
      query: parametersOf(ctx.querystring),
      form: parametersOf(''),
      headers: Object.fromEntries(headers) as Record<string, string>,
      status: 0,
      at: Date.now(),
    };
    appendBounded(this.requests, record);
    return record;
  }

  /** The requests to the token endpoint with that grant_type. */
  grants(type: string): RecordedRequest[] {
    return this.requests.filter(
      ({ path, form, query }) =>
        path === '/oauth/v2/token' && (form['grant_type'] ?? query['grant_type']) === type,
    );
  }
}
