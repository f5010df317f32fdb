import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { Agent, type Dispatcher } from 'undici';

interface Bounds {
  /** aborts the request, until the last byte of the body has arrived */
  signal: AbortSignal;
  maxBytes: number;
  dispatcher?: Dispatcher;
}

/** Content codings (RFC 9110 8.4.1). */
const decoders = new Map(
  Object.entries({
    gzip: promisify(gunzip),
    'x-gzip': promisify(gunzip),
    deflate: promisify(inflate),
    br: promisify(brotliDecompress),
  }),
);

const decoder = new TextDecoder();

/** The global one may be that of Node.js, of another version of undici. */
const ownAgent = new Agent();

/**
 * As `fetch`, with limits of time and size. Does not follow redirects, and resolves when the whole body has arrived. Uses a dispatcher of
 * undici without the streams of `fetch` and `request`, which take several times as long.
 *
 * @throws an error of undici without a response, and `AnswerTooLarge`
 */
export async function boundedFetch(
  input: string | URL | Request,
  init: RequestInit,
  { signal, maxBytes, dispatcher = ownAgent }: Bounds,
): Promise<Response> {
  const asked = input instanceof Request ? new Request(input, init) : init;
  const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input);
  const fields = new Headers(asked.headers);
  const body = await bodyOf(asked.body, fields);
  if (!fields.has('user-agent')) fields.set('user-agent', 'nestjs-zitadel');
  const answer = await new Promise<Answer>((resolve, reject) => {
    const request = {
      origin,
      path: pathname + search,
      method: asked.method ?? 'GET',
      headers: Object.fromEntries(fields),
      ...(body === undefined ? {} : { body }),
    };
    dispatcher.dispatch(request, new AnswerReader({ signal, maxBytes, resolve, reject }));
  });
  const bytes = await decodedBytes(answer.body, String(answer.headers['content-encoding'] ?? ''), maxBytes);
  const headers = Object.entries(answer.headers).flatMap(linesOf);
  return new ReadResponse(decoder.decode(bytes), { status: answer.status, headers });
}

const linesOf = ([name, value]: [string, string | string[]]) =>
  [value].flat().map((line): [string, string] => [name, line]);

interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer;
}

interface Reading extends Pick<Bounds, 'signal' | 'maxBytes'> {
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

class AnswerReader implements Dispatcher.DispatchHandler {
  private readonly parts: Buffer[] = [];
  private length = 0;
  private status = 0;
  private headers: Answer['headers'] = {};
  private controller: Dispatcher.DispatchController | undefined;

  constructor(private readonly reading: Reading) {
    reading.signal.addEventListener('abort', this.abort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.controller = controller;
    if (this.reading.signal.aborted) this.abort();
  }

  onResponseStart(_controller: unknown, status: number, headers: object) {
    this.status = status;
    this.headers = headers as Answer['headers'];
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer) {
    const { maxBytes } = this.reading;
    this.length += part.byteLength;
    // Closes the connection.
    if (this.length > maxBytes) controller.abort(new AnswerTooLarge(maxBytes));
    else this.parts.push(part);
  }

  onResponseEnd() {
    this.end();
    this.reading.resolve({ status: this.status, headers: this.headers, body: Buffer.concat(this.parts) });
  }

  onResponseError(_controller: unknown, error: Error) {
    this.end();
    this.reading.reject(error);
  }

  private readonly abort = () => {
    const reason = this.reading.signal.reason as Error;
    this.controller?.abort(reason);
    // A request that waits for a connection has no controller.
    this.reading.reject(reason);
  };

  private end() {
    this.reading.signal.removeEventListener('abort', this.abort);
  }
}

/** A response whose body has arrived: it can be read again and again, without the streams of `Response`. */
export class ReadResponse extends Response {
  constructor(
    private readonly content: string,
    init: ResponseInit,
  ) {
    super(null, init);
  }

  override clone() {
    return this;
  }

  override text() {
    return Promise.resolve(this.content);
  }

  override async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }
}

async function bodyOf(body: RequestInit['body'], headers: Headers): Promise<string | Buffer | undefined> {
  if (body === undefined || body === null) return undefined;
  const isForm = body instanceof URLSearchParams;
  if (isForm && !headers.has('content-type'))
    headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
  return isForm || typeof body === 'string'
    ? body.toString()
    : Buffer.from(await new Response(body).arrayBuffer());
}

async function decodedBytes(body: Buffer, encodings: string, maxBytes: number) {
  let bytes = body;
  for (const encoding of encodings
    .toLowerCase()
    .split(/[\s,]+/)
    .reverse())
    if (encoding) bytes = await decoded(bytes, encoding, maxBytes);
  return bytes;
}

async function decoded(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  try {
    return (await decoders.get(encoding)?.(bytes, { maxOutputLength: maxBytes })) ?? bytes;
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? new AnswerTooLarge(maxBytes)
      : error;
  }
}

export class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`The response body is longer than ${maxBytes} bytes`);
    this.name = 'AnswerTooLarge';
  }
}
