// `npm run soak`: users load two instances while faults occur one after another. Fails when a session ended that could have been
// kept, or when a token is in the log.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { machineSentence } from './support/machine.mjs';
import { faultsOf } from './support/faults.mjs';
import { rounded } from './support/numbers.mjs';
import { optionsOf, wrongUse } from './support/options.mjs';
import { Person } from './support/person.mjs';
import { randomFrom } from './support/random.mjs';
import { table } from './support/report.mjs';
import { startShakenSystem } from './support/shaken-system.mjs';
import { Tally } from './support/tally.mjs';

const usage = `npm run soak -- [options]

  --minutes 20         the duration after all users have signed in
  --people 40
  --fault-every 30     seconds
  --seed N             the order of the faults and of the users' actions; their timing stays random
  --token-seconds 20
  --log-level info
  --json FILE          writes the figures`;

const {
  json,
  'log-level': logLevel,
  ...numbers
} = optionsOf(usage, {
  minutes: { type: 'string', default: '20' },
  people: { type: 'string', default: '40' },
  'fault-every': { type: 'string', default: '30' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  'token-seconds': { type: 'string', default: '20' },
  'log-level': { type: 'string', default: 'info' },
  json: { type: 'string' },
});
const [minutes, faultEvery, tokenSeconds] = ['minutes', 'fault-every', 'token-seconds'].map((name) => {
  const number = Number(numbers[name]);
  return number > 0 && Number.isFinite(number) ? number : wrongUse(`--${name}: expected a number above 0`);
});
const [people, seed] = ['people', 'seed'].map((name) => {
  const number = Number(numbers[name]);
  return Number.isSafeInteger(number) && number >= 0
    ? number
    : wrongUse(`--${name}: expected a whole number`);
});

/** A fault lasts for a third of the time until the next one, at most. */
const MAX_FAULT_MS = 10_000;
/** After this time without faults, all instances know of a sign-out. */
const SETTLED_MS = 5_000;
/** Instances reconnect after two seconds at the latest. */
const SHARED_AGAIN_MS = 10_000;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const startedAt = Date.now();
const seconds = () => String(Math.round((Date.now() - startedAt) / 1000)).padStart(5);
const say = (text) => console.log(`${seconds()} s  ${text}`);

const logLines = [];
const loginNames = Array.from({ length: people }, (_, index) => `person${index + 1}@acme.example`);
const system = await startShakenSystem({
  loginNames,
  tokenSeconds,
  logLevel,
  onLog: (line) => logLines.push(line),
});
const random = randomFrom(seed);
const tally = new Tally(say);
say(`seed ${seed}, ${people} people, ${minutes} minutes, a fault every ${faultEvery} s`);

const everybody = loginNames.map(
  (loginName, index) => new Person(loginName, { system, tally, random: randomFrom(seed + index + 1) }),
);
for (const person of everybody) await person.goIn();
const memoryBefore = system.instances.rssMiB();

const signOuts = { checked: 0, withoutEffect: 0, refreshTokenLives: 0 };
const end = shake();
await Promise.all([end, ...everybody.map((person) => person.live(end))]);
await wait(SETTLED_MS);
await checkSignOuts();
const memoryAfter = system.instances.rssMiB();
const hasTokensInLog = linesWithTokens();
report();
await system.stop();
process.exit(tally.total().lostAvoidably + signOuts.withoutEffect + hasTokensInLog.length > 0 ? 1 : 0);

/** Runs each fault equally often, one after another, until the time is over. */
async function shake() {
  const { changeOfSecret, ...others } = faultsOf(system, random);
  /** @type {typeof changeOfSecret[]} */
  const faults = [];
  const until = Date.now() + minutes * 60_000;
  for (;;) {
    const begin = Date.now();
    if (begin + faultEvery * 1000 > until) return;
    // Last in each pass, so that its steps are far apart: by the last one every cookie must use the second secret.
    if (faults.length === 0) faults.push(...random.shuffled(Object.values(others)), changeOfSecret);
    const { name, run } = faults.shift();
    tally.begin(name);
    say(name);
    await run(Math.min(MAX_FAULT_MS, (faultEvery * 1000) / 3));
    const rest = begin + faultEvery * 1000 - Date.now();
    await wait(Math.max(0, Math.min(SETTLED_MS, rest - 1_000)));
    if (rest > SETTLED_MS) await checkSignOuts();
    await wait(Math.max(0, begin + faultEvery * 1000 - Date.now()));
  }
}

/** Whether the cookies of signed-out users get 401 at both instances, once both have the same state. */
async function checkSignOuts() {
  for (const end = Date.now() + SHARED_AGAIN_MS; !(await isShared()) && Date.now() < end;) await wait(50);
  const due = tally.signedOut.filter(({ at }) => Date.now() - at > 1_000);
  tally.signedOut = tally.signedOut.filter((signOut) => !due.includes(signOut));
  for (const { cookie, loginName, grantId } of due) {
    signOuts.checked++;
    const headers = { accept: 'application/json', cookie };
    const answers = await Promise.all(
      system.origins.map((origin) => fetch(`${origin}/auth/userinfo`, { headers, redirect: 'manual' })),
    );
    const statuses = answers.map(({ status }) => status);
    if (statuses.some((status) => status !== 401)) {
      signOuts.withoutEffect++;
      tally.note(`${loginName} has signed out, and the cookie is answered ${statuses.join(' and ')}`);
    }
    if (await system.handedOut.hasGood(loginName, grantId)) signOuts.refreshTokenLives++;
  }
}

async function isShared() {
  const ready = system.origins.map(async (origin) => (await fetch(`${origin}/health/ready`)).json());
  return (await Promise.all(ready)).every(({ details }) => details?.redis?.status === 'up');
}

/** A part of a token between its dots, recognized by its length. */
function linesWithTokens() {
  const parts = new Set([...system.handedOut.all].flatMap((token) => token.split('.').slice(1)));
  return logLines.filter((line) => (line.match(/[\w-]{20,}/g) ?? []).some((word) => parts.has(word)));
}

function report() {
  const rows = [...tally.faults].sort(([one], [other]) => one.localeCompare(other));
  const columns = {
    times: 'times',
    requests: 'requests',
    lost: 'sessions lost',
    lostAvoidably: 'of them avoidably',
    resumed: 'resumed',
    pages5xx: 'pages 5xx',
    tokens503: '503 for want of a token',
    other5xx: 'other 5xx',
    unanswered: 'unanswered',
  };
  const row = ([fault, counts]) => ({
    fault,
    ...Object.fromEntries(Object.entries(columns).map(([key, name]) => [name, String(counts[key])])),
  });
  const total = tally.total();
  const mib = (list) => list.map((value) => rounded(value, 0)).join(' and ');
  const facts = [
    `${total.sessions} sign-ins, ${total.requests} requests, ${system.renewals()} renewals, ${total.lostAnswers} answers lost on the way`,
    `${total.signOuts} sign-outs taken, ${total.signOutRefused} refused, ${total.signOutUnanswered} unanswered; of ${signOuts.checked} looked after ${signOuts.withoutEffect} had no effect, of ${signOuts.refreshTokenLives} a refresh token lives on`,
    `${total.signInFailed} times a sign-in did not succeed at once`,
    `${logLines.length} log lines, ${hasTokensInLog.length} of them with a token`,
    `memory ${mib(memoryBefore)} MiB at the start, ${mib(memoryAfter)} MiB at the end`,
  ];
  console.log(`\n${machineSentence.replaceAll('**', '')}, seed ${seed}\n`);
  console.log(
    `${table([...rows, ['all', total]].map(row))}\n\n${facts.map((fact) => `- ${fact}`).join('\n')}`,
  );
  const log = join(mkdtempSync(join(tmpdir(), 'soak-')), 'instances.log');
  writeFileSync(log, logLines.join('\n'));
  console.log(`\nThe log of the instances: ${log}`);
  if (json)
    writeFileSync(
      json,
      JSON.stringify(
        { seed, minutes, people, faults: Object.fromEntries(rows), total, facts, notes: tally.notes },
        null,
        2,
      ),
    );
}
