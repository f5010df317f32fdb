// The results as tables on the terminal and in bench/README.md, and as JSON.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { chart } from './chart.mjs';
import { machine, machineSentence } from './machine.mjs';

const file = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const START = '<!-- results: written by `npm run bench -- --write` -->';
const END = '<!-- end of results -->';

/**
 * @typedef {object} Goal
 * @property {string} name
 * @property {number} measured
 * @property {number} [atLeast]
 * @property {number} [atMost]
 * @property {number} [exactly]
 * @property {number} [digits] after the point
 * @property {string} [spread] the least and the most of the rounds
 * @property {boolean} [isCount] whether it is the same on every machine
 */

/** @param {Goal} goal */
export const isMet = ({ measured, atLeast = -Infinity, atMost = Infinity, exactly = measured }) =>
  measured >= atLeast && measured <= atMost && measured === exactly;

export const goalRow = (goal) => ({
  goal: goal.name,
  wanted:
    goal.atLeast !== undefined
      ? `≥ ${goal.atLeast}`
      : goal.atMost !== undefined
        ? `≤ ${goal.atMost}`
        : `${goal.exactly}`,
  measured: goal.measured.toFixed(goal.digits ?? 0),
  'least–most': goal.spread ?? '',
  '': isMet(goal) ? 'met' : '**missed**',
});

/** @param {Record<string, string | number>[]} rows all with the same columns */
export function table(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index].length)));
  const isNumber = columns.map((column) =>
    rows.every((row) => row[column] === undefined || !Number.isNaN(Number(row[column] || NaN))),
  );
  const lines = cells.map((line) =>
    line.map((cell, index) => (isNumber[index] ? cell.padStart(widths[index]) : cell.padEnd(widths[index]))),
  );
  const rule = widths.map((width, index) =>
    isNumber[index] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  const [head = [], ...body] = lines;
  return [head, rule, ...body].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** Writes the results as JSON and as a chart. Those of a `full` run are committed. */
export async function writeResults(answers, { full }) {
  const [json, svg] = full ? ['latest.json', 'chart.svg'] : ['last-run.json', 'last-run.svg'];
  mkdirSync(file('results'), { recursive: true });
  await write(`results/${json}`, JSON.stringify({ at: new Date().toISOString(), machine, answers }));
  const page = answers.find(({ name }) => name === 'profile-page');
  if (page) writeFileSync(file(`results/${svg}`), chart(page.rows));
}

export async function writeReadme(answers) {
  const readme = readFileSync(file('README.md'), 'utf8');
  const [before, after] = [readme.indexOf(START), readme.indexOf(END)];
  if (before < 0 || after < before) throw new Error('bench/README.md has lost the marks of its results');
  const sections = answers.map(
    ({ question, about, rows }) => `### ${question}\n\n${about}\n\n${table(rows)}`,
  );
  const results = [
    START,
    `Measured ${new Date().toISOString().slice(0, 10)}: ${machineSentence}.`,
    table(answers.flatMap(({ goals }) => goals.map(goalRow))),
    '![Requests per second and CPU time of one request, as in the first table below](results/chart.svg)',
    ...sections,
  ].join('\n\n');
  await write('README.md', `${readme.slice(0, before)}${results}\n\n${readme.slice(after)}`);
}

/** Formats the text for `npm run check`. */
async function write(path, text) {
  const filepath = file(path);
  writeFileSync(filepath, await format(text, { ...(await resolveConfig(filepath)), filepath }));
}
