import { appendBounded } from '../storage/bounded-map.js';
import type { Context } from '../storage/provider.js';
import { parametersOf } from './call.js';

/** A request that the sandbox received. It contains secrets and tokens: use it in assertions, never in a log. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  form: Record<string, string>;
  headers: Record<string, string>;
  /** 0 until the response is sent */
  status: number;
  /** milliseconds since 1970 */
  at: number;
}

/** The latest 10 000 requests, oldest first. */
export class RequestLog {
  readonly requests: RecordedRequest[] = [];

  /** Adds a request before its form is read. */
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

  /** The requests to the token endpoint with that `grant_type`. */
  grants(type: string): RecordedRequest[] {
    return this.requests.filter(
      ({ path, form, query }) =>
        path === '/oauth/v2/token' && (form['grant_type'] ?? query['grant_type']) === type,
    );
  }
}
