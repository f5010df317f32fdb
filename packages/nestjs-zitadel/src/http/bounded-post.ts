import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { Agent, errors, request, type Dispatcher } from 'undici';
import { AnswerTooLarge } from './bounded-fetch.js';

/** An answer that was read to its end. */
export interface TextAnswer {
  status: number;
  /** media type and parameters, in lower case */
  contentType: string;
  /** the clock of the server (RFC 9110 6.6.1) */
  date: string | undefined;
  retryAfter: string | undefined;
  text: string;
}

/** Sends forms as `boundedFetch` would, at a quarter of its cost: the API asks about each new token. */
export class BoundedPost {
  private dispatcher: Dispatcher | undefined;
  private connected = 0;

  /** @param bounds of an answer, and of all of them */
  constructor(private readonly bounds: { maxBytes: number; connections: number }) {}

  /** Whether somebody has taken a connection, and it is there still. */
  get isConnected(): boolean {
    return this.connected > 0;
  }

  /**
   * Throws what the network throws, and `AnswerTooLarge`. Follows no redirect.
   *
   * @param signal ends the wait, to the last byte of the answer
   */
  async send(url: string, form: URLSearchParams, signal: AbortSignal): Promise<TextAnswer> {
    const { maxBytes, connections } = this.bounds;
    this.dispatcher ??= new Agent({ connections, maxResponseSize: maxBytes })
      .on('connect', () => this.connected++)
      .on('disconnect', () => this.connected--);
    const options = {
      dispatcher: this.dispatcher,
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      signal,
    } as const;
    try {
      const { statusCode, headers, body } = await request(url, options);
      const contentType = String(headers['content-type'] ?? '').toLowerCase();
      const header = (name: string) => (headers[name] === undefined ? undefined : String(headers[name]));
      return {
        status: statusCode,
        contentType,
        date: header('date'),
        retryAfter: header('retry-after'),
        text: await textOf(body, header('content-encoding'), maxBytes),
      };
    } catch (error) {
      throw isTooLarge(error) ? new AnswerTooLarge(maxBytes) : error;
    }
  }
}

const decoders: Record<string, (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>> =
  {
    gzip: promisify(gunzip),
    'x-gzip': promisify(gunzip),
    deflate: promisify(inflate),
    br: promisify(brotliDecompress),
  };

/** Nobody has asked for an encoding (RFC 9110 8.4), and proxies encode all the same. */
async function textOf(
  body: Dispatcher.ResponseData['body'],
  encoding: string | undefined,
  maxBytes: number,
): Promise<string> {
  if (encoding === undefined) return body.text();
  let bytes: Uint8Array = await body.bytes();
  for (const name of encoding
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .reverse()) {
    if (name === 'identity') continue;
    const decode = decoders[name];
    if (!decode)
      throw new Error(`The answer has the encoding ${JSON.stringify(name)}, which nobody asked for`);
    bytes = await decode(bytes, { maxOutputLength: maxBytes });
  }
  return new TextDecoder().decode(bytes);
}

const isTooLarge = (error: unknown) =>
  error instanceof errors.ResponseExceededMaxSizeError ||
  (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
