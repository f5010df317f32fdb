import { prepareApp, preparePlain } from './support/app.mjs';
import { homePage } from './support/app-services.mjs';
import { median, rounded } from './support/numbers.mjs';
import { peersSentence, preparePeer } from './support/peers.mjs';
import { startServer } from './support/servers.mjs';

export const question = 'How long does a start take?';
export const about = `From the start of the program to the first answer to \`GET /\`. ${peersSentence}.`;

const GOAL = 1.25;

/** @param {import('./main.mjs').Lab} lab */
export async function answer({ short, say }) {
  const rounds = short ? 2 : 7;
  const pages = { '/': homePage };
  const app = await prepareApp();
  const plain = await preparePlain(pages, app);
  const openIdConnect = await preparePeer('express-openid-connect', pages);
  const authExpress = await preparePeer('@auth/express', pages);
  try {
    const sites = [
      { name: 'plain', start: plain.start },
      { name: 'this app', start: app.start },
      { name: 'this app, unbundled', start: () => startServer('build/main.js', app) },
      openIdConnect,
      authExpress,
    ];
    for (const site of sites) await startOf(site);
    const results = sites.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...sites.keys()];
      for (const index of round % 2 ? order.reverse() : order)
        results[index].push(await startOf(sites[index]));
      say(`round ${round + 1} of ${rounds}`);
    }
    const [ofPlain, ofApp] = results;
    const timesPlain = (starts) => median(starts.map(({ ms }, round) => ms / ofPlain[round].ms));
    return {
      rows: results.map((starts, index) => ({
        '': sites[index].name,
        'first answer, ms': rounded(median(starts.map(({ ms }) => ms)), 0),
        'times plain': timesPlain(starts).toFixed(3),
        ...figure('CPU ms', median(starts.map(({ cpuUs }) => cpuUs)) / 1_000),
        ...figure('RSS MiB', median(starts.map(({ rssMiB }) => rssMiB))),
      })),
      goals: [{ name: 'cold start, times plain', measured: timesPlain(ofApp), atMost: GOAL, digits: 3 }],
    };
  } finally {
    await Promise.all([app, openIdConnect, authExpress].map(({ stop }) => stop()));
  }
}

async function startOf(site) {
  const server = await site.start();
  const { origin, startMs, cpuUs, rssMiB, stop } = server;
  const start = { ms: startMs, cpuUs: cpuUs(), rssMiB: rssMiB() };
  const { status } = await fetch(origin);
  await stop();
  if (status !== 200) throw new Error(`${site.name} answers ${status}`);
  return start;
}

/** A column, if the system reports the figure. */
const figure = (name, value) => (Number.isNaN(value) ? {} : { [name]: rounded(value, 0) });
