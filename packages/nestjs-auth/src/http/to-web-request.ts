import type { HttpRequest } from '../auth.types.js';
import { requestTarget } from './request-facts.js';

/**
 * Converts an Express or Fastify request into a web `Request`.
 *
 * @param origin public origin of the application. Must not come from `Host` or `X-Forwarded-*`, which the client chooses
 * @param url path and query. Default: those of the request
 */
export function toWebRequest(request: HttpRequest, origin: string, url = requestTarget(request)) {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || name === 'content-length') continue;
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) headers.append(name, item);
  }
  const init: RequestInit = { method: request.method, headers };
  const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : bodyOf(request, headers);
  return new Request(origin + url, body === undefined ? init : { ...init, body });
}

function bodyOf({ body }: HttpRequest, headers: Headers) {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined;
  if (Buffer.isBuffer(body)) return new Uint8Array(body);
  if (headers.get('content-type')?.includes('application/json')) return JSON.stringify(body);
  return new URLSearchParams(fieldsOf(body)).toString();
}

function fieldsOf(body: unknown): [string, string][] {
  return Object.entries(body as Record<string, unknown>).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item): [string, string] => [name, String(item)]),
  );
}
