interface Bounds {
  /** ends the wait, to the last byte of the answer */
  signal: AbortSignal;
  maxBytes: number;
}

/**
 * `fetch` that a server cannot hold up, fill up or send elsewhere: redirects are answers like any other, and the answer
 * is here when it is returned. Throws what `fetch` throws, and an error of its own when the answer is too large.
 */
export async function boundedFetch(
  input: string | URL | Request,
  init: RequestInit,
  { signal, maxBytes }: Bounds,
): Promise<Response> {
  const answer = await fetch(input, {
    ...init,
    redirect: 'manual',
    signal,
  });
  const body = await bytesOf(answer, maxBytes);
  const { status, headers } = answer;
  return new Response(body.byteLength > 0 ? body : null, { status, headers });
}

async function bytesOf({ body }: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream, which closes the connection.
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.byteLength;
    if (length > maxBytes) throw new AnswerTooLarge(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The answer was longer than this application is ready to read. */
export class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`The answer is longer than ${maxBytes} bytes`);
    this.name = 'AnswerTooLarge';
  }
}
