import { setTimeout as sleep } from 'node:timers/promises';
import { prepareApp, preparePlain } from './support/app.mjs';
import { homePage, startServices } from './support/app-services.mjs';
import { median, rounded } from './support/numbers.mjs';
import { startProgram } from './support/programs.mjs';

export const question = 'How much memory do many sessions take?';
export const about =
  'Resident memory of the program after 20,000 × `GET /profile` of 500 sessions in turn, each with its cookie, as it is then and after a forced garbage collection; minimum, median and maximum of several starts.';

const REQUESTS = 20_000;
const SESSIONS = 500;
const CONNECTIONS = 10;
const COLLECTION_MS = 1_000;
const GOAL_MIB = 25;

const env = {
  NODE_OPTIONS: `--import=${new URL('support/collect-garbage.mjs', import.meta.url).href}`,
};

/** @param {import('./main.mjs').Lab} lab */
export async function answer({ short, say }) {
  const starts = short ? 1 : 3;
  const generator = startProgram('bench/support/load.program.mjs', { core: 'load' });
  const results = { plain: [], 'this app': [] };
  try {
    for (let start = 0; start < starts; start++) {
      const prepared = await prepareApp();
      const app = { ...prepared, ...(await prepared.start(env)) };
      const services = await startServices(app);
      const browser = app.browser();
      const cookie = await browser.signIn(app.origin, 'alice@acme.example');
      const pages = { '/': homePage, '/profile': await services.profilePage(browser) };
      const cookies = await services.differentCookies(cookie, SESSIONS);
      const plain = await (await preparePlain(pages, app)).start(env);
      try {
        results.plain.push(await memoryOf(plain, cookies, generator));
        results['this app'].push(await memoryOf(app, cookies, generator));
      } finally {
        await Promise.all([app, prepared, plain].map(({ stop }) => stop()));
        await services.close();
      }
      say(`start ${start + 1} of ${starts}`);
    }
  } finally {
    await generator.stop();
  }
  const abovePlain = (figure) =>
    median(results['this app'].map((result, start) => result[figure] - results.plain[start][figure]));
  return {
    rows: Object.entries(results).map(([name, ofName]) => ({
      '': name,
      'RSS, MiB': spread(ofName.map(({ rssMiB }) => rssMiB)),
      'RSS after a forced collection, MiB': spread(ofName.map(({ collectedMiB }) => collectedMiB)),
    })),
    goals: [
      { name: 'RSS, MiB above plain', figure: 'rssMiB' },
      { name: 'RSS after a forced collection, MiB above plain', figure: 'collectedMiB' },
    ].map(({ name, figure }) => ({ name, measured: abovePlain(figure), atMost: GOAL_MIB, digits: 0 })),
  };
}

async function memoryOf(server, cookies, generator) {
  const { failures } = await generator.call('run', {
    url: `${server.origin}/profile`,
    headers: { accept: 'text/html' },
    cookies,
    connections: CONNECTIONS,
    amount: REQUESTS,
  });
  if (failures > 0) throw new Error(`${failures} requests failed`);
  const rssMiB = server.rssMiB();
  server.signal('SIGUSR2');
  await sleep(COLLECTION_MS);
  return { rssMiB, collectedMiB: server.rssMiB() };
}

const spread = (values) =>
  [Math.min(...values), median(values), Math.max(...values)].map((value) => rounded(value, 0)).join(' / ');
