import type { IncomingMessage } from 'node:http';

/** A request to the hostile provider. It contains secrets: use it in assertions only. */
export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  form: Record<string, string>;
  headers: IncomingMessage['headers'];
}

export async function recorded(request: IncomingMessage): Promise<RecordedRequest> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider.invalid');
  let body = '';
  for await (const part of request) body += String(part);
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    form: Object.fromEntries(new URLSearchParams(body)),
    headers: request.headers,
  };
}
