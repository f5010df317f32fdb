// `npm run bench`: runs the benchmarks, prints the results, and fails when a goal is missed.
import { existsSync } from 'node:fs';
import process from 'node:process';
import { machineSentence } from './support/machine.mjs';
import { optionsOf, wrongUse } from './support/options.mjs';
import { goalRow, isMet, table, writeReadme, writeResults } from './support/report.mjs';

const questions = [
  'profile-page',
  'public-page',
  'auth-session',
  'login',
  'start',
  'soak',
  'memory',
  'install',
  'session-read',
  'refresh-race',
  'redis',
  'api-route',
  'api-burst',
];

const SHORT_LIMIT_MS = 8 * 60_000;
const LIMIT_MS = 30 * 60_000;

/** @typedef {{ short: boolean, say: (text: string) => void }} Lab */

const usage = `npm run bench -- [options]

  --short       fewer seconds, to check that it works: only a wrong count fails
  --only NAME   one of ${questions.join(', ')}
  --write       writes the results into bench/README.md`;

const { short, only, write } = optionsOf(usage, {
  short: { type: 'boolean', default: false },
  only: { type: 'string' },
  write: { type: 'boolean', default: false },
});
const chosen = only === undefined ? questions : questions.filter((name) => name === only);
if (chosen.length === 0) wrongUse(`--only: expected one of ${questions.join(', ')}`);
if (write && (only || short)) wrongUse('--write: only the answers of a full run go into bench/README.md');
if (!existsSync(new URL('../dist/main.js', import.meta.url))) fail('Run `npm run build` first.');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => fail(`Stopped by ${signal}`));
const limitMs = short ? SHORT_LIMIT_MS : LIMIT_MS;
setTimeout(() => fail(`Not done after ${limitMs / 60_000} minutes`), limitMs).unref();

console.log(`${machineSentence.replaceAll('**', '')}\n`);
const answers = [];
for (const name of chosen) {
  const { question, about, answer } = await import(`./${name}.mjs`);
  console.log(question);
  const { rows, goals } = await answer({ short, say: (text) => console.log(`  ${text}`) });
  console.log(`\n${table(rows)}\n`);
  // Some systems do not report the memory of a process.
  answers.push({
    name,
    question,
    about,
    rows,
    goals: goals.filter(({ measured }) => !Number.isNaN(measured)),
  });
}

const goals = answers.flatMap((answer) => answer.goals);
if (goals.length > 0) console.log(table(goals.map(goalRow)).replaceAll('**', ''));
await writeResults(answers, { full: write });
if (write) await writeReadme(answers);
const binding = short ? goals.filter(({ isCount }) => isCount) : goals;
process.exit(binding.every(isMet) ? 0 : 1);

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
