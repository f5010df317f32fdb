// The application without its web server: this process reads sessions and does nothing else.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { SessionService } from '@mridang/nestjs-auth';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../build/app.module.js';
import { readEnv } from '../../build/config/env.js';
import { differentCookies } from './different-cookies.mjs';
import { median } from './numbers.mjs';
import { serve } from './remote.mjs';
import { requestWith } from './request-with.mjs';

const BATCHES = 5;
/** A batch that exceeds the cache, so that there is no hit. */
const UNSEEN_PER_BATCH = 800;
/** A batch that fits into the cache. */
const SEEN = 200;
const SEEN_PER_BATCH = 20_000;

serve({
  async measure({ env, cookie }) {
    const app = await NestFactory.createApplicationContext(AppModule.register(readEnv(env)), {
      logger: false,
    });
    const sessions = app.get(SessionService, { strict: false });
    const cookies = await differentCookies(sessions, cookie, (BATCHES + 1) * UNSEEN_PER_BATCH);

    const unseen = [];
    for (let batch = 0; batch <= BATCHES; batch++) {
      const values = cookies.slice(batch * UNSEEN_PER_BATCH, (batch + 1) * UNSEEN_PER_BATCH);
      unseen.push(await cpuUsPerRead(sessions, values.map(requestWith)));
    }

    const known = cookies.slice(-SEEN);
    await cpuUsPerRead(sessions, known.map(requestWith));
    const seen = [];
    for (let batch = 0; batch <= BATCHES; batch++) {
      const values = Array.from({ length: SEEN_PER_BATCH }, (_, index) => known[index % SEEN]);
      seen.push(await cpuUsPerRead(sessions, values.map(requestWith)));
    }
    await app.close();
    const [sessionCookie = ''] = (cookies[0] ?? '').split('; ');
    // The first batch of each kind is the warm-up.
    return {
      unseenUs: median(unseen.slice(1)),
      seenUs: median(seen.slice(1)),
      cookieBytes: Buffer.byteLength(sessionCookie),
    };
  },
});

/** @param {{ request: any, response: import('node:http').ServerResponse }[]} exchanges */
async function cpuUsPerRead(sessions, exchanges) {
  const before = process.cpuUsage();
  let found = 0;
  for (const { request, response } of exchanges) {
    if (await sessions.load(request, response)) found++;
  }
  const { user, system } = process.cpuUsage(before);
  if (found < exchanges.length)
    throw new Error(`Only ${found} of ${exchanges.length} cookies held a session`);
  if (exchanges.some(({ response }) => response.hasHeader('set-cookie'))) {
    throw new Error('A read that writes is none');
  }
  return (user + system) / exchanges.length;
}
