import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import fc from 'fast-check';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { SharedState } from '../../packages/nestjs-zitadel/src/state/shared-state.js';
import { Browser } from '../support/browser.js';
import { freePort } from '../support/free-port.js';
import { moveTime } from '../support/move-time.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { signIn } from '../support/sign-in.js';
import { environment, launch, redirectUrisOf } from '../support/start-app.js';
import { until } from '../support/until.js';

/** The number of runs; `INTERLEAVINGS` sets another. */
const RUNS = Number(process.env['INTERLEAVINGS'] ?? 8);

/** Zitadel accepts a refresh token twice within this time, and only the tokens of the last response stay valid. */
const REUSE_MS = 50;

let origin: string;
let origins: string[];
let apps: NestExpressApplication[];
let sandbox: Sandbox;
let redis: RunningRedis;
beforeAll(async () => {
  redis = await startRedis();
  const ports = [await freePort(), await freePort()];
  origins = ports.map((port) => `http://localhost:${port}`);
  origin = origins[0] ?? '';
  sandbox = await startSandbox({
    web: redirectUrisOf(origin),
  });
  sandbox.setRefreshReuse(REUSE_MS);
  const env = {
    ...environment(origin, sandbox),
    REDIS_URL: redis.url,
    SESSION_DURATION: '3600',
    ORGANIZATIONS: 'active',
  };
  apps = await Promise.all(ports.map((port) => launch({ ...env, PORT: String(port) }, port)));
}, 30_000);
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await sandbox.close();
  await redis.stop();
});

const states = () => apps.map((app) => app.get(SharedState));
const isRedisSeen = (is: boolean) =>
  until(async () => (await Promise.all(states().map((state) => state.check()))).every((seen) => seen === is));

it('a choice of an organization counts for the cookie from before on another instance', async () => {
  const [alice, globex] = ['alice@acme.example', '320000000000000002'];
  sandbox.grantRole(alice, 'editor', 'Globex');
  const browser = new Browser(origin);
  const page = await signIn(browser, alice);
  const cookie = await browser.cookieHeader();
  await browser.submit(page, 'header form[action="/auth/organization"]', {
    fields: { organization: globex },
  });
  await until(async () => {
    const answer = await fetch(`${origins[1]}/auth/session`, { headers: { cookie } });
    return (await answer.text()).includes(`"activeOrganization":{"id":"${globex}"`);
  });
});

interface Request {
  instance: number;
  path: string;
  afterMs: number;
  isAnswerLost: boolean;
}

/** A request of one of two tabs that share their cookies. */
const request: fc.Arbitrary<Request> = fc.record({
  instance: fc.nat(1),
  path: fc.constantFrom('/profile', '/auth/userinfo', '/'),
  afterMs: fc.nat(40),
  isAnswerLost: fc.boolean(),
});
/** The concurrent events of one step: tokens become due or not, Redis stops or starts, and requests are sent. */
const moment = fc.record({
  areTokensDue: fc.boolean(),
  isRedisThere: fc.boolean(),
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
});

async function ask(browser: Browser, { instance, path, afterMs, isAnswerLost }: Request) {
  await pause(afterMs);
  const cookie = await browser.cookieHeader();
  const answer = await fetch(`${origins[instance]}${path}`, { redirect: 'manual', headers: { cookie } });
  await answer.text();
  if (!isAnswerLost)
    for (const line of answer.headers.getSetCookie()) await browser.jar.setCookie(line, origin);
  return answer.status;
}

it('no session with a valid refresh token ends, whatever two instances and two tabs do while Redis stops and starts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 5 }), async (moments) => {
      sandbox.setAccessTokenTtl(60);
      const browser = new Browser(origin);
      expect((await signIn(browser, 'alice@acme.example')).url.pathname).toBe('/profile');
      for (const { areTokensDue, isRedisThere, requests } of moments) {
        await (isRedisThere ? redis.start() : redis.stop());
        await isRedisSeen(isRedisThere);
        if (areTokensDue) moveTime(55_000);
        const statuses = await Promise.all(requests.map((one) => ask(browser, one)));
        expect(statuses).not.toContain(401);
        expect(statuses).not.toContain(500);
      }
      await redis.start();
      await isRedisSeen(true);
      for (const instance of [0, 1]) {
        let status = 0;
        await until(async () => {
          status = await ask(browser, { instance, path: '/auth/userinfo', afterMs: 0, isAnswerLost: false });
          return status !== 503;
        }, 15_000);
        expect(status).toBe(200);
      }
    }),
    { numRuns: RUNS, endOnFailure: process.env['INTERLEAVINGS'] === undefined },
  );
}, 600_000);
