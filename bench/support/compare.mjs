import { performance } from 'node:perf_hooks';
import { startProgram } from './programs.mjs';
import { median, rounded, spread } from './numbers.mjs';

const CONNECTIONS = 10;

/**
 * Loads addresses with equal responses in turns, so that other load on the machine affects them alike.
 *
 * @typedef {object} Candidate
 * @property {string} name
 * @property {string} url
 * @property {() => Promise<Record<string, string>>} headers made anew for each round
 * @property {() => Promise<string[]>} [cookies] made anew for each round; each request sends the next one
 * @property {{ cpuUs: () => number, rssMiB: () => number }} server
 * @property {boolean} [isOwnAnswer] whether its response differs from the others
 * @property {string} [baseline] the name of the column that compares all with this one; at least one candidate has it
 * @property {boolean} [hasNewTokens] whether each request sends another bearer token
 * @property {{ cpuUs: () => number, introspections: () => Promise<number> }} [idp] the provider of the server; of all candidates or of none
 *
 * @param {Candidate[]} candidates
 * @param {{ short: boolean, say: (text: string) => void }} lab
 */
export async function compare(candidates, { short, say }) {
  const [rounds, seconds, warmUpSeconds] = short ? [3, 1, 1] : [5, 5, 4];
  const generator = startProgram('bench/support/load.program.mjs', { core: 'load' });
  try {
    await checkSameBytes(candidates);
    for (const candidate of candidates) await load(generator, candidate, warmUpSeconds);
    const results = candidates.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...candidates.keys()];
      // The first candidate of one round is the last of the next.
      for (const index of round % 2 ? order.reverse() : order) {
        results[index].push(await load(generator, candidates[index], seconds));
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    const baselines = candidates.flatMap(({ baseline }, index) =>
      baseline ? [{ baseline, results: results[index] }] : [],
    );
    return candidates.map(({ name }, index) => {
      // Garbage collection makes memory vary: the value at the end of a single round says little.
      const rssMiB = median(results[index].map((result) => result.rssMiB));
      return { rssMiB, rounds: results[index], ...summary(name, results[index], rssMiB, baselines) };
    });
  } finally {
    await generator.stop();
  }
}

/** The least and the most of the ratios of the rounds. */
export const ratioSpreadOf = (one, other, figure) => spread(ratios(one.rounds, other.rounds, figure), 2);

/**
 * The ratio of a figure of two candidates: the median of the ratios of the rounds, because load on the machine affects
 * both in the same round.
 */
export const ratioOf = (one, other, figure) => ratio(one.rounds, other.rounds, figure);

async function load(generator, { name, url, headers, cookies, server, hasNewTokens, idp }, seconds) {
  const request = { url, headers: await headers(), cookies: await cookies?.(), hasNewTokens };
  const counted = async () => ({
    ms: performance.now(),
    serverUs: server.cpuUs(),
    loadUs: generator.cpuUs() + (idp?.cpuUs() ?? 0),
    introspections: (await idp?.introspections()) ?? NaN,
  });
  const before = await counted();
  const result = await generator.call('run', { ...request, connections: CONNECTIONS, seconds });
  const after = await counted();
  if (result.failures > 0) throw new Error(`${name}: ${result.failures} requests failed`);
  const { requests } = result;
  if (requests < 2) throw new Error(`${name} does not answer under load`);
  const rise = (figure) => after[figure] - before[figure];
  return {
    ...result,
    cpuUs: rise('serverUs') / requests,
    serverBusy: rise('serverUs') / 1_000 / rise('ms'),
    loadBusy: rise('loadUs') / 1_000 / rise('ms'),
    introspections: rise('introspections') / requests,
    rssMiB: server.rssMiB(),
  };
}

const ratios = (results, others, figure) =>
  results.map((result, round) => result[figure] / others[round][figure]);

const ratio = (results, others, figure) => median(ratios(results, others, figure));

function summary(name, results, rssMiB, baselines) {
  const of = (figure) => median(results.map((result) => result[figure]));
  const toBaselines = Object.fromEntries(
    baselines.map(({ baseline, results: others }) => [baseline, ratio(results, others, 'requestsPerSecond')]),
  );
  const spreadOf = (figure) =>
    spread(
      results.map((result) => result[figure]),
      0,
    );
  const hasCpu = !Number.isNaN(results[0].cpuUs);
  const hasIntrospections = !Number.isNaN(results[0].introspections);
  const percent = (figure) => rounded(of(figure) * 100, 0);
  const columns = Object.entries(toBaselines).map(([baseline, ratio]) => [
    `of ${baseline}`,
    ratio.toFixed(3),
  ]);
  const [first] = baselines;
  return {
    ratios: toBaselines,
    introspections: of('introspections'),
    row: {
      '': name,
      'requests/s': rounded(of('requestsPerSecond'), 0),
      'least–most': spreadOf('requestsPerSecond'),
      'p50 ms': rounded(of('p50Ms'), 2),
      'p99 ms': rounded(of('p99Ms'), 2),
      ...(hasIntrospections ? { 'introspections/request': of('introspections').toFixed(3) } : {}),
      ...(hasCpu
        ? { 'CPU µs/request': rounded(of('cpuUs'), 0), 'CPU µs, least–most': spreadOf('cpuUs') }
        : {}),
      ...(hasCpu ? { 'server core %': percent('serverBusy'), 'load core %': percent('loadBusy') } : {}),
      ...(Number.isNaN(rssMiB) ? {} : { 'RSS after, MiB': rounded(rssMiB, 0) }),
      ...Object.fromEntries(columns),
      ...(hasCpu ? { [`CPU of ${first.baseline}`]: ratio(results, first.results, 'cpuUs').toFixed(3) } : {}),
    },
  };
}

/** A comparison is meaningful only for equal responses. */
async function checkSameBytes([baseline, ...others]) {
  const expected = masked(await textOf(baseline));
  for (const other of others.filter(({ isOwnAnswer }) => !isOwnAnswer)) {
    const text = masked(await textOf(other));
    if (text === expected) continue;
    const at = [...text].findIndex((letter, index) => letter !== expected[index]);
    throw new Error(
      `${other.name} differs from ${baseline.name}:\n${text.slice(at - 40, at + 80)}\ninstead of\n${expected.slice(at - 40, at + 80)}`,
    );
  }
}

/** Removes the times and random values, which differ for each sign-in. */
const masked = (text) => text.replace(/[\w-]{20,}/g, (value) => '#'.repeat(value.length)).replace(/\d/g, '0');

async function textOf({ name, url, headers }) {
  const answer = await fetch(url, { headers: await headers(), redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`${name} answers ${answer.status}`);
  return answer.text();
}
