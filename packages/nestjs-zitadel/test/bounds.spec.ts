import { setTimeout as pause } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { boundedFetch } from '../src/http/bounded-fetch.js';
import { Agent } from 'undici';
import { sendWithRetry } from '../src/http/send-with-retry.js';
import { listening } from '../../../test/support/listening.js';

let server: Awaited<ReturnType<typeof listening>>;
let origin: string;
let sent = 0;
let late = 0;
const routes: Record<string, (response: ServerResponse) => void> = {
  '/small': (response) => response.end('{"a":1}'),
  '/gzip': (response) => compressed(response, 'gzip', gzipSync('{"a":1}')),
  '/x-gzip': (response) => compressed(response, 'X-GZIP', gzipSync('{"a":1}')),
  '/deflate': (response) => compressed(response, 'deflate', deflateSync('{"a":1}')),
  '/br': (response) => compressed(response, 'br', brotliCompressSync('{"a":1}')),
  '/twice': (response) => compressed(response, 'gzip, br', brotliCompressSync(gzipSync('{"a":1}'))),
  '/identity': (response) => compressed(response, 'identity', Buffer.from('{"a":1}')),
  '/cut': (response) => compressed(response, 'gzip', gzipSync('{"a":1}').subarray(0, -9)),
  '/large': (response) => compressed(response, 'gzip', gzipSync(' '.repeat(2_000))),
  '/mark': (response) => response.end('\ufeff{"a":1}'),
  '/empty': (response) => response.writeHead(204).end(),
  '/elsewhere': (response) => response.writeHead(302, { location: '/small' }).end(),
  '/silent': () => undefined,
  '/late': (response) => {
    late++;
    response.end();
  },
  '/slow': (response) => {
    response.write('{');
  },
  '/endless': (response) => {
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536))) sent++;
    };
    response.on('drain', more);
    more();
  },
};

const compressed = (response: ServerResponse, encoding: string, body: Buffer) =>
  void response.setHeader('content-encoding', encoding).end(body);

beforeAll(async () => {
  server = await listening(({ url = '' }, response) => routes[url]?.(response));
  ({ origin } = server);
});
afterAll(() => server.close());

const get = (path: string, { timeoutMs = 300, ...bounds }: { timeoutMs?: number; maxBytes?: number } = {}) =>
  boundedFetch(origin + path, {}, { signal: AbortSignal.timeout(timeoutMs), maxBytes: 1_000, ...bounds });

describe('boundedFetch()', () => {
  it('returns the response with its status', async () => {
    const answer = await get('/small');
    expect([answer.status, await answer.json()]).toEqual([200, { a: 1 }]);
    expect((await get('/empty')).status).toBe(204);
  });

  it('follows no redirect', async () => {
    const answer = await get('/elsewhere');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/small']);
  });

  it.each(['/silent', '/slow'])('aborts after its timeout: %s', async (path) => {
    await expect(get(path)).rejects.toThrow(/timeout/i);
  });

  it('can be aborted while it waits for a connection, and is not sent then', async () => {
    const dispatcher = new Agent({ connections: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const send = (path: string, { signal }: AbortController) =>
      boundedFetch(origin + path, {}, { signal, maxBytes: 1_000, dispatcher });
    const answers = Promise.allSettled([send('/slow', first), send('/late', second)]);
    const waiting = send('/late', second);
    setImmediate(() => second.abort(new Error('not wanted any more')));
    await expect(waiting).rejects.toThrow('not wanted any more');
    first.abort();
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await dispatcher.close();
    expect(late).toBe(0);
  });

  it('returns a response that can be read more than once', async () => {
    const answer = await get('/small');
    expect(await Promise.all([answer.clone().json(), answer.json(), answer.text()])).toEqual([
      { a: 1 },
      { a: 1 },
      '{"a":1}',
    ]);
  });

  it('aborts and closes the connection when the response exceeds maxBytes', async () => {
    await expect(get('/endless', { maxBytes: 100_000, timeoutMs: 5_000 })).rejects.toThrow(
      'longer than 100000 bytes',
    );
    const before = sent;
    await pause(50);
    expect(sent).toBe(before);
  });

  it('accepts a response of exactly maxBytes', async () => {
    expect((await get('/small', { maxBytes: 7 })).status).toBe(200);
    await expect(get('/small', { maxBytes: 6 })).rejects.toThrow();
  });
});

describe('boundedFetch() of an encoded response', () => {
  it.each(['/gzip', '/x-gzip', '/deflate', '/br', '/twice', '/identity', '/mark'])(
    'decodes %s',
    async (path) => {
      expect(await (await get(path)).json()).toEqual({ a: 1 });
    },
  );

  it('fails for a truncated gzip body', async () => {
    await expect(get('/cut')).rejects.toThrow('unexpected end of file');
  });

  it('counts bytes after decoding', async () => {
    await expect(get('/large')).rejects.toThrow('The response body is longer than 1000 bytes');
  });
});

describe('sendWithRetry()', () => {
  /** Sends two forms over one connection to a server that closes it at the second request. */
  async function results(hangUp: (socket: Socket) => void, isAlways = false) {
    const used = new WeakSet<Socket>();
    let asked = 0;
    const closing = await listening(({ socket }, response) => {
      asked++;
      if (isAlways || used.has(socket)) return hangUp(socket);
      used.add(socket);
      response.end('{}');
    });
    const dispatcher = new Agent({ connections: 1 });
    const body = new URLSearchParams({ a: 'b' });
    const send = async () => {
      const bounds = { signal: AbortSignal.timeout(1_000), maxBytes: 1_000, dispatcher };
      return (
        await sendWithRetry(() => boundedFetch(closing.origin, { method: 'POST', body }, bounds))
      ).text();
    };
    const answers = [await send().catch(String), await send().catch(String)];
    await closing.close();
    return { answers, asked };
  }

  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => socket.destroy()],
    ['reset', (socket) => socket.resetAndDestroy()],
  ])('sends the request again when the kept-alive connection was %s', async (_name, hangUp) => {
    const { answers, asked } = await results(hangUp);
    expect(answers).toEqual(['{}', '{}']);
    expect(asked).toBe(3);
  });

  it('sends the request twice at most', async () => {
    const { answers, asked } = await results((socket) => socket.destroy(), true);
    expect(answers).toEqual([expect.stringMatching(/Error/), expect.stringMatching(/Error/)]);
    expect(asked).toBe(4);
  });
});
