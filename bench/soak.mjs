import { performance } from 'node:perf_hooks';
import { clearInterval } from 'node:timers';
import { startApp } from './support/app.mjs';
import { median, rounded } from './support/numbers.mjs';
import { startProgram } from './support/programs.mjs';

export const question = 'Does it keep its size under load?';
export const about =
  '`GET /profile`, signed in, for five minutes without a pause; the memory of the process is read each second. With `--short` for 10 seconds, which is too short to tell.';

const CONNECTIONS = 10;

/** How much higher the last minute may be than the second one: the memory of a process of this size varies. */
const GOAL = 1.05;

/** @param {import('./main.mjs').Lab} lab */
export async function answer({ short, say }) {
  // A session cookie slides after a minute: each part has a new one.
  const [parts, seconds] = short ? [1, 10] : [6, 50];
  const app = await startApp();
  const browser = app.browser();
  const generator = startProgram('bench/support/load.program.mjs', { core: 'load' });
  const samples = [];
  const begin = performance.now();
  const sampling = setInterval(
    () => samples.push({ minutes: (performance.now() - begin) / 60_000, rssMiB: app.rssMiB() }),
    1_000,
  );
  let requests = 0;
  try {
    for (let part = 0; part < parts; part++) {
      const cookie = await browser.signIn(app.origin, 'alice@acme.example');
      const headers = { accept: 'text/html', cookie };
      const url = `${app.origin}/profile`;
      const result = await generator.call('run', { url, headers, connections: CONNECTIONS, seconds });
      if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
      requests += result.requests;
      say(`${(part + 1) * seconds} of ${parts * seconds} seconds, ${rounded(app.rssMiB(), 0)} MiB`);
    }
  } finally {
    clearInterval(sampling);
    await Promise.all([app.stop(), generator.stop()]);
  }
  return summary(samples, requests, short);
}

function summary(samples, requests, short) {
  const minutes = samples.at(-1).minutes;
  const fifth = (number) => {
    const within = (sample) => Math.min(4, Math.floor((sample.minutes / minutes) * 5)) === number - 1;
    return median(samples.filter(within).map(({ rssMiB }) => rssMiB));
  };
  const growth = fifth(5) / fifth(2);
  return {
    rows: [
      {
        minutes: rounded(minutes, 1),
        requests,
        'RSS MiB, first fifth of the time': rounded(fifth(1), 1),
        'second fifth': rounded(fifth(2), 1),
        'last fifth': rounded(fifth(5), 1),
        'last, times second': growth.toFixed(3),
        'MiB/minute after the first fifth': slope(
          samples.filter((sample) => sample.minutes > minutes / 5),
        ).toFixed(2),
      },
    ],
    goals: short
      ? []
      : [{ name: 'RSS in the fifth minute, times the second', measured: growth, atMost: GOAL, digits: 3 }],
  };
}

/** The slope of the regression line of the samples. */
function slope(samples) {
  const mean = (figure) => samples.reduce((sum, sample) => sum + sample[figure], 0) / samples.length;
  const [x, y] = [mean('minutes'), mean('rssMiB')];
  const covariance = samples.reduce((sum, { minutes, rssMiB }) => sum + (minutes - x) * (rssMiB - y), 0);
  return covariance / samples.reduce((sum, { minutes }) => sum + (minutes - x) ** 2, 0);
}
