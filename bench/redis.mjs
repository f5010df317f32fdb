import { createHmac } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { request } from 'undici';
import { get } from './support/get.mjs';
import { median, rounded } from './support/numbers.mjs';
import { Person } from './support/person.mjs';
import { randomFrom } from './support/random.mjs';
import { startShakenSystem } from './support/shaken-system.mjs';
import { Tally } from './support/tally.mjs';

export const question = 'What does Redis cost a page, and when does the end of a session count elsewhere?';
export const about =
  'Two instances with one Redis. Commands of signed-in pages are counted by `MONITOR`, without the check of each instance every second; then each of ten people signs out at one instance, and ten are locked by an event that one instance receives; the copied cookie is sent to the other until it is refused.';

const PEOPLE = 20;
const PAGES = 10;
const QUIET_MS = 300;
const GOAL_MS = 1_000;

export async function answer() {
  const loginNames = Array.from({ length: PEOPLE }, (_, index) => `person-${index}@acme.example`);
  const system = await startShakenSystem({
    loginNames,
    tokenSeconds: 3_600,
    logLevel: 'error',
    onLog: () => undefined,
  });
  const redis = new Redis(system.redisUrl);
  const monitor = await redis.monitor();
  try {
    const world = { system, random: randomFrom(1), tally: new Tally() };
    const people = loginNames.map((loginName) => new Person(loginName, world));
    for (const person of people) await person.signIn(system.origin, person.loginName);
    const cookies = people.map((person) => person.cookieHeader(system.origin));
    await wait(QUIET_MS);

    let commands = 0;
    monitor.on('monitor', (_time, command) => (commands += isHeartbeat(command) ? 0 : 1));
    const statuses = [];
    for (let page = 0; page < PAGES; page++)
      for (const cookie of cookies)
        for (const origin of system.origins) statuses.push(await statusOf(origin, cookie));
    await wait(QUIET_MS);
    const pageCommands = commands;
    const answers200 = statuses.filter((status) => status === 200).length;

    const [origin = '', other = ''] = system.origins;
    const timesOf = async (some, end) => {
      const times = [];
      for (const [person, cookie] of some) {
        await end(person, cookie);
        const started = performance.now();
        while ((await statusOf(other, cookie)) === 200 && performance.now() - started < 2 * GOAL_MS)
          await wait(1);
        times.push(performance.now() - started);
      }
      return times;
    };
    const pairs = people.map((person, index) => [person, cookies[index]]);
    const signOuts = await timesOf(pairs.slice(0, PEOPLE / 2), (person) => person.goOut());
    const events = await timesOf(pairs.slice(PEOPLE / 2), async (_person, cookie) =>
      lockUser(origin, await subOf(origin, cookie), system.eventsKey),
    );
    return {
      rows: [
        {
          'signed-in pages': statuses.length,
          'answers 200': answers200,
          'Redis commands': pageCommands,
          'a sign-out counts at the other instance after, ms': spread(signOuts),
          'an event counts there after, ms': spread(events),
        },
      ],
      goals: [
        { name: 'Redis commands of signed-in pages', measured: pageCommands, exactly: 0, isCount: true },
        { name: 'of them answered 200', measured: answers200, exactly: statuses.length, isCount: true },
        ...[
          { name: 'a sign-out counts elsewhere after, ms', times: signOuts },
          { name: 'an event counts elsewhere after, ms', times: events },
        ].map(({ name, times }) => ({ name, measured: Math.max(...times), atMost: GOAL_MS, digits: 0 })),
      ],
    };
  } finally {
    monitor.disconnect();
    redis.disconnect();
    await system.stop();
  }
}

/** Each instance checks every second whether Redis answers and still has its data. */
const isHeartbeat = ([name, key = '']) => name === 'ping' || key.endsWith(':marker:');

async function statusOf(origin, cookie) {
  const { statusCode } = await get(`${origin}/profile`, { accept: 'text/html', cookie });
  return statusCode;
}

async function subOf(origin, cookie) {
  const answer = await request(`${origin}/auth/session`, { headers: { cookie } });
  return (await answer.body.json()).user.id;
}

let sequence = 1;

/** Sends the event as Zitadel does (Actions v2), and waits for the answer, which comes before the effect. */
async function lockUser(origin, sub, key) {
  const body = JSON.stringify({
    ...{ aggregateID: sub, aggregateType: 'user', event_type: 'user.locked', sequence: sequence++ },
    created_at: new Date().toISOString(),
  });
  const seconds = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
  const { statusCode } = await request(`${origin}/auth/zitadel-events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'zitadel-signature': `t=${seconds},v1=${signature}` },
    body,
  });
  if (statusCode !== 200) throw new Error(`The event was answered with ${statusCode}`);
}

/** Minimum, median and maximum. */
const spread = (times) =>
  [Math.min(...times), median(times), Math.max(...times)].map((ms) => rounded(ms, 1)).join(' / ');
