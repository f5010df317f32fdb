import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { get } from './support/get.mjs';
import { median, rounded } from './support/numbers.mjs';
import { Person } from './support/person.mjs';
import { randomFrom } from './support/random.mjs';
import { startShakenSystem } from './support/shaken-system.mjs';
import { Tally } from './support/tally.mjs';

export const question = 'What does Redis cost a page, and when does a sign-out count elsewhere?';
export const about =
  'Two instances with one Redis. Commands of signed-in pages are counted by `MONITOR`, without the check of each instance every second; then each of several people signs out at one instance, and the copied cookie is sent to the other until it is refused.';

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

    const delays = [];
    for (const [index, person] of people.entries()) {
      const [, other = ''] = system.origins;
      await person.goOut();
      const started = performance.now();
      while ((await statusOf(other, cookies[index])) === 200 && performance.now() - started < 2 * GOAL_MS)
        await wait(1);
      delays.push(performance.now() - started);
    }
    return {
      rows: [
        {
          'signed-in pages': statuses.length,
          'answers 200': answers200,
          'Redis commands': pageCommands,
          'sign-outs': delays.length,
          'refused at the other instance after, ms (minimum / median / maximum)': [
            Math.min(...delays),
            median(delays),
            Math.max(...delays),
          ]
            .map((ms) => rounded(ms, 1))
            .join(' / '),
        },
      ],
      goals: [
        { name: 'Redis commands of signed-in pages', measured: pageCommands, exactly: 0, isCount: true },
        { name: 'of them answered 200', measured: answers200, exactly: statuses.length, isCount: true },
        {
          name: 'a sign-out counts elsewhere after, ms',
          measured: Math.max(...delays),
          atMost: GOAL_MS,
          digits: 0,
        },
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
