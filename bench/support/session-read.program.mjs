// The application without its web server: this process reads sessions and does nothing else.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { SessionService } from '@mridang/nestjs-auth';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../build/app.module.js';
import { readEnv } from '../../build/config/env.js';
import { differentCookies } from './different-cookies.mjs';
import { serve } from './remote.mjs';
import { median } from './numbers.mjs';
import { requestWith } from './request-with.mjs';

const BATCHES = 12;
/** A batch that exceeds the cache, so that there is no hit. */
const UNSEEN_PER_BATCH = 800;
/** A batch that fits into the cache. */
const SEEN = 200;
const SEEN_PER_BATCH = 20_000;
const GROUP = 100;

serve({
  async measure({ env, cookie }) {
    const app = await NestFactory.createApplicationContext(AppModule.register(readEnv(env)), {
      logger: false,
    });
    const sessions = app.get(SessionService, { strict: false });
    const cookies = await differentCookies(sessions, cookie, BATCHES * UNSEEN_PER_BATCH);

    const unseen = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      const values = cookies.slice(batch * UNSEEN_PER_BATCH, (batch + 1) * UNSEEN_PER_BATCH);
      unseen.push(await cpuUsPerRead(sessions, values));
    }

    const known = cookies.slice(-SEEN);
    const seen = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      const values = Array.from({ length: SEEN_PER_BATCH }, (_, index) => known[index % SEEN]);
      seen.push(await cpuUsPerRead(sessions, values));
    }
    await app.close();
    const [sessionCookie = ''] = (cookies[0] ?? '').split('; ');
    return {
      unseenUs: median(unseen),
      fastestUnseenUs: Math.min(...unseen),
      seenUs: median(seen),
      fastestSeenUs: Math.min(...seen),
      cookieBytes: Buffer.byteLength(sessionCookie),
    };
  },
});

/**
 * The requests are made in groups, outside of the measured time. Nothing keeps them after their reads, as in a server.
 *
 * @param {string[]} cookies
 */
async function cpuUsPerRead(sessions, cookies) {
  let total = 0;
  for (let start = 0; start < cookies.length; start += GROUP) {
    const exchanges = cookies.slice(start, start + GROUP).map(requestWith);
    const before = process.cpuUsage();
    for (const { request, response } of exchanges) {
      if (!(await sessions.load(request, response))) throw new Error('A cookie held no session');
    }
    const { user, system } = process.cpuUsage(before);
    total += user + system;
    if (exchanges.some(({ response }) => response.hasHeader('set-cookie')))
      throw new Error('A read that writes is none');
  }
  return total / cookies.length;
}
