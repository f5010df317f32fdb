import { startProgram } from './programs.mjs';
import { median, rounded } from './numbers.mjs';

const CONNECTIONS = 10;

/**
 * Loads the pages in turns, so that what disturbs the machine disturbs them alike.
 *
 * @typedef {object} Candidate
 * @property {string} name
 * @property {string} url
 * @property {() => Promise<Record<string, string>>} headers made anew for each round
 * @property {() => number | undefined} cpuUs
 *
 * @param {Candidate[]} candidates the first two are what the others are compared with
 * @param {{ short: boolean, say: (text: string) => void }} lab
 */
export async function comparePages(candidates, { short, say }) {
  const [rounds, seconds, warmUpSeconds] = short ? [3, 1.5, 1.5] : [5, 5, 4];
  const generator = startProgram('bench/support/load.program.mjs', { core: 'load' });
  try {
    await checkSameBytes(candidates);
    for (const candidate of candidates) await load(generator, candidate, warmUpSeconds);
    const results = candidates.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...candidates.keys()];
      // What runs first in one round runs last in the next.
      for (const index of round % 2 ? order.reverse() : order) {
        results[index].push(await load(generator, candidates[index], seconds));
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    return candidates.map(({ name }, index) => summary(name, results[index], results));
  } finally {
    await generator.stop();
  }
}

async function load(generator, { name, url, headers, cpuUs }, seconds) {
  const sent = await headers();
  const before = cpuUs();
  const result = await generator.call('run', { url, headers: sent, connections: CONNECTIONS, seconds });
  if (result.failures > 0) throw new Error(`${name}: ${result.failures} requests failed`);
  return { ...result, cpuUs: before === undefined ? undefined : (cpuUs() - before) / result.requests };
}

/** The ratio is the median of the rounds' ratios: a round in which the machine was busy disturbs both its parts. */
function summary(name, results, [plain, withoutSignIn]) {
  const ratioTo = (baseline) =>
    median(
      results.map(({ requestsPerSecond }, round) => requestsPerSecond / baseline[round].requestsPerSecond),
    );
  const ratios = { plain: ratioTo(plain), withoutSignIn: ratioTo(withoutSignIn) };
  const of = (figure) => median(results.map((result) => result[figure]));
  return {
    ratios,
    row: {
      '': name,
      'requests/s': rounded(of('requestsPerSecond'), 0),
      'p50 ms': rounded(of('p50Ms'), 2),
      'p99 ms': rounded(of('p99Ms'), 2),
      ...(results[0].cpuUs === undefined ? {} : { 'CPU µs/request': rounded(of('cpuUs'), 0) }),
      'of plain': ratios.plain.toFixed(3),
      'of the same without sign-in': ratios.withoutSignIn.toFixed(3),
    },
  };
}

/** A comparison of pages that differ would say nothing. */
async function checkSameBytes([baseline, ...others]) {
  const expected = await textOf(baseline);
  for (const other of others) {
    const text = await textOf(other);
    if (text === expected) continue;
    const at = [...text].findIndex((letter, index) => letter !== expected[index]);
    throw new Error(
      `${other.name} differs from ${baseline.name}:\n${text.slice(at - 40, at + 80)}\ninstead of\n${expected.slice(at - 40, at + 80)}`,
    );
  }
}

async function textOf({ name, url, headers }) {
  const answer = await fetch(url, { headers: await headers(), redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`${name} answers ${answer.status}`);
  return answer.text();
}
