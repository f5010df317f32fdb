import { readFileSync } from 'node:fs';

/** A field that was sent twice is a list. */
export type Fields = Record<string, unknown>;

/** A request to a running Zitadel, with placeholders for values that differ between runs. */
export interface RecordedRequest {
  method: string;
  path: string;
  query?: Fields;
  headers?: Record<string, string>;
  form?: Fields;
  json?: Fields;
  body?: string;
}

/** The response; usual headers are omitted, and `null` means that the header was absent. */
export interface RecordedResponse {
  status: number;
  headers: Record<string, string | string[] | null>;
  body: unknown;
}

/** One exchange; `request` is null if the server sent no request. */
export interface Exchange {
  file: string;
  name: string;
  setup: string;
  request: RecordedRequest | null;
  response: RecordedResponse | null;
}

const files = [
  ...['discovery', 'jwks', 'authorize', 'token', 'refresh', 'userinfo', 'introspection', 'revocation'],
  ...['end-session', 'device', 'device-and-exchange', 'back-channel-logout', 'errors-and-methods'],
];

/** The recorded exchanges, in their order within a file. */
export function recording(): Exchange[] {
  return exchangesOf(...files);
}

/** The recorded calls of the management API. */
export function managementRecording(): Exchange[] {
  return exchangesOf('management', 'management-more', 'actions-events');
}

export function exchangesOf(...names: string[]): Exchange[] {
  return names.flatMap((file) => {
    const text = readFileSync(new URL(`../../recorded/${file}.json`, import.meta.url), 'utf8');
    return (JSON.parse(text) as Omit<Exchange, 'file'>[]).map((exchange) => ({ file, ...exchange }));
  });
}
