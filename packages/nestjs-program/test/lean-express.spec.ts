import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { freePort } from '../../../test/support/free-port.js';
import { LeanExpressAdapter } from '../src/index.js';

it('a graceful stop waits for a response that is read slowly', async () => {
  const LENGTH = 50_000_000;
  const adapter = new LeanExpressAdapter();
  adapter.initHttpServer({});
  adapter.get('/', (_request: unknown, response: ServerResponse) => response.end(Buffer.alloc(LENGTH)));
  const own = await freePort();
  await new Promise<void>((listens) => adapter.listen(own, () => listens()));
  const answer = await new Promise<IncomingMessage>((answered) => request({ port: own }, answered).end());
  const drained = adapter.drain(8_000);
  await pause(1_500);
  let length = 0;
  for await (const chunk of answer) length += (chunk as Buffer).length;
  expect(length).toBe(LENGTH);
  expect(await drained).toBe(0);
}, 20_000);
