import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { boundedFetch } from '../src/http/bounded-fetch.js';
import { BoundedPost } from '../src/http/bounded-post.js';
import { sentTwice } from '../src/http/sent-twice.js';

let server: Server;
let origin: string;
let sent = 0;
const routes: Record<string, (response: ServerResponse) => void> = {
  '/form': (response) => {
    const { req } = response;
    let body = '';
    req.on('data', (part: Buffer) => (body += part.toString()));
    req.on('end', () =>
      response
        .setHeader('content-type', 'Application/JSON')
        .end(`${req.method} ${req.headers['content-type']} ${body}`),
    );
  },
  '/small': (response) => response.end('{"a":1}'),
  '/gzip': (response) => compressed(response, 'gzip', gzipSync('{"a":1}')),
  '/x-gzip': (response) => compressed(response, 'X-GZIP', gzipSync('{"a":1}')),
  '/deflate': (response) => compressed(response, 'deflate', deflateSync('{"a":1}')),
  '/br': (response) => compressed(response, 'br', brotliCompressSync('{"a":1}')),
  '/twice': (response) => compressed(response, 'gzip, br', brotliCompressSync(gzipSync('{"a":1}'))),
  '/identity': (response) => compressed(response, 'identity', Buffer.from('{"a":1}')),
  '/unknown': (response) => compressed(response, 'compress', Buffer.from('{"a":1}')),
  '/broken': (response) => compressed(response, 'gzip', gzipSync('{"a":1}').subarray(0, 12)),
  '/large': (response) => compressed(response, 'gzip', gzipSync(' '.repeat(2_000))),
  '/mark': (response) => response.end('\ufeff{"a":1}'),
  '/empty': (response) => response.writeHead(204).end(),
  '/elsewhere': (response) => response.writeHead(302, { location: '/small' }).end(),
  '/silent': () => undefined,
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
  server = createServer(({ url = '' }, response) => routes[url]?.(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string, { timeoutMs = 300, ...bounds }: { timeoutMs?: number; maxBytes?: number } = {}) =>
  boundedFetch(origin + path, {}, { signal: AbortSignal.timeout(timeoutMs), maxBytes: 1_000, ...bounds });

describe('a bounded fetch', () => {
  it('gives the answer, status and all', async () => {
    const answer = await get('/small');
    expect([answer.status, await answer.json()]).toEqual([200, { a: 1 }]);
    expect((await get('/empty')).status).toBe(204);
  });

  it('follows no redirect', async () => {
    const answer = await get('/elsewhere');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/small']);
  });

  it.each(['/silent', '/slow'])('does not wait for ever: %s', async (path) => {
    await expect(get(path)).rejects.toThrow(/timeout/i);
  });

  it('reads no more than it may, and hangs up', async () => {
    await expect(get('/endless', { maxBytes: 100_000, timeoutMs: 5_000 })).rejects.toThrow(
      'longer than 100000 bytes',
    );
    const before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBe(before);
  });

  it('takes an answer that is just as long as it may be', async () => {
    expect((await get('/small', { maxBytes: 7 })).status).toBe(200);
    await expect(get('/small', { maxBytes: 6 })).rejects.toThrow();
  });
});

describe('a bounded post', () => {
  const post = (
    path: string,
    { timeoutMs = 300, ...bounds }: { timeoutMs?: number; maxBytes?: number } = {},
  ) =>
    new BoundedPost({ maxBytes: 1_000, connections: 2, ...bounds }).send(
      origin + path,
      new URLSearchParams({ a: 'b c' }),
      AbortSignal.timeout(timeoutMs),
    );

  it('sends the form and gives the answer', async () => {
    expect(await post('/form')).toEqual({
      status: 200,
      contentType: 'application/json',
      date: expect.stringMatching(/ GMT$/),
      text: 'POST application/x-www-form-urlencoded a=b+c',
    });
    expect(await post('/empty')).toEqual({
      status: 204,
      contentType: '',
      date: expect.stringMatching(/ GMT$/),
      text: '',
    });
  });

  it('follows no redirect', async () => {
    expect((await post('/elsewhere')).status).toBe(302);
  });

  it.each(['/silent', '/slow'])('does not wait for ever: %s', async (path) => {
    await expect(post(path)).rejects.toThrow(/timeout/i);
  });

  it('reads no more than it may, and hangs up', async () => {
    await expect(post('/endless', { maxBytes: 100_000, timeoutMs: 5_000 })).rejects.toThrow(
      'longer than 100000 bytes',
    );
    const before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBe(before);
  });

  it.each(['/gzip', '/x-gzip', '/deflate', '/br', '/twice', '/identity', '/mark'])(
    'reads an answer that a proxy has encoded: %s',
    async (path) => {
      expect((await post(path)).text).toBe('{"a":1}');
    },
  );

  it.each([
    ['/unknown', /Error/],
    ['/broken', /Error/],
    ['/large', 'AnswerTooLarge: The answer is longer than 1000 bytes'],
  ])('takes no answer that cannot be decoded within the size it may have: %s', async (path, said) => {
    expect(await post(path).catch(String)).toEqual(
      typeof said === 'string' ? said : expect.stringMatching(said),
    );
  });

  /** Sends two forms, which may be sent twice, to a server that hangs up when the second comes on a connection. */
  async function results(hangUp: (socket: Socket) => void, isAlways = false) {
    const used = new WeakSet<Socket>();
    let asked = 0;
    const closing = createServer(({ socket }, response) => {
      asked++;
      if (isAlways || used.has(socket)) return hangUp(socket);
      used.add(socket);
      response.end('{}');
    });
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(closing.address() as AddressInfo).port}`;
    const posts = new BoundedPost({ maxBytes: 1_000, connections: 1 });
    const send = () =>
      sentTwice(() => posts.send(address, new URLSearchParams({ a: 'b' }), AbortSignal.timeout(1_000)));
    const answers = [await send().catch(String), await send().catch(String)];
    closing.closeAllConnections();
    closing.close();
    return { answers, asked };
  }

  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => socket.destroy()],
    ['reset', (socket) => socket.resetAndDestroy()],
  ])('is sent once more when the connection turns out to be %s', async (_name, hangUp) => {
    const { answers, asked } = await results(hangUp);
    expect(answers).toEqual([
      expect.objectContaining({ text: '{}' }),
      expect.objectContaining({ text: '{}' }),
    ]);
    expect(asked).toBe(3);
  });

  it('is not sent for ever', async () => {
    const { answers, asked } = await results((socket) => socket.destroy(), true);
    expect(answers).toEqual([expect.stringMatching(/Error/), expect.stringMatching(/Error/)]);
    expect(asked).toBe(4);
  });
});
