import { fetch, type Dispatcher } from 'undici';

interface Bounds {
  /** aborts the request, until the last byte of the body has arrived */
  signal: AbortSignal;
  maxBytes: number;
  dispatcher?: Dispatcher;
}

type Fetch = (
  input: string | URL | Request,
  init: RequestInit & { dispatcher?: Dispatcher },
) => Promise<Response>;

/**
 * `fetch` with limits of time and size. Does not follow redirects, and resolves when the whole body has arrived.
 *
 * @throws what `fetch` throws, and `AnswerTooLarge`
 */
export async function boundedFetch(
  input: string | URL | Request,
  init: RequestInit,
  { signal, maxBytes, dispatcher }: Bounds,
): Promise<Response> {
  const answer = await (fetch as unknown as Fetch)(input, {
    ...init,
    redirect: 'manual',
    signal,
    ...(dispatcher ? { dispatcher } : {}),
  });
  const body = await bytesOf(answer, maxBytes);
  const { status, headers } = answer;
  return new Response(body.byteLength > 0 ? body : null, { status, headers });
}

async function bytesOf({ body }: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  // An error in this loop cancels the stream, which closes the connection.
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.byteLength;
    if (length > maxBytes) throw new AnswerTooLarge(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`The response body is longer than ${maxBytes} bytes`);
    this.name = 'AnswerTooLarge';
  }
}
