import { startApp } from './support/app.mjs';
import { homePage, startServices } from './support/app-services.mjs';
import { appLogin } from './support/browser.mjs';
import { median, percentile, rounded } from './support/numbers.mjs';
import { peersSentence, startPeer } from './support/peers.mjs';
import { startProgram } from './support/programs.mjs';

export const question = 'What does a login take?';
export const about = `From the login page to the profile page, through all redirects, for somebody who is signed in at the sandbox; all three ask for the same scopes. The time counts from the click on "Log in" and contains the sandbox's; the CPU time is that of the application's process alone. ${peersSentence}.`;

const WARM_UP = 40;
const LOGINS = 20;
const ROUNDS = 3;

const goals = { 'express-openid-connect': 1.5, '@auth/express': 0.6 };

/** @param {import('./main.mjs').Lab} lab */
export async function answer({ short, say }) {
  const person = 'alice@acme.example';
  const app = await startApp();
  const appBrowser = app.browser();
  await appBrowser.signIn(app.origin, person);
  const services = await startServices(app);
  const pages = { '/': homePage, '/profile': await services.profilePage(appBrowser) };
  await services.close();
  const scope = await scopeOf(app);
  const openIdConnect = await startPeer('express-openid-connect', pages, { scope });
  const authExpress = await startPeer('@auth/express', pages, { scope });
  const browser = startProgram('bench/support/browser.program.mjs', { core: 'load' });
  try {
    const sites = [{ ...app, name: 'this app', login: appLogin }, openIdConnect, authExpress];
    const signIns = async ({ origin, login, cpuUs }, count) => {
      const before = cpuUs();
      const taken = [];
      while (taken.length < count) taken.push(await browser.call('signIn', origin, person, login));
      return { taken, cpuUs: (cpuUs() - before) / count };
    };
    for (const site of sites) await signIns(site, short ? 6 : WARM_UP);
    const results = sites.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      const order = [...sites.keys()];
      for (const index of round % 2 ? order.reverse() : order) {
        results[index].push(await signIns(sites[index], short ? 6 : LOGINS));
      }
      say(`round ${round + 1} of ${ROUNDS}`);
    }
    const [own, ...others] = results;
    return {
      rows: sites.map(({ name }, index) => row(name, results[index], own)),
      goals: Object.entries(goals).map(([peer, atMost], index) => ({
        name: `CPU of a login, times ${peer}`,
        measured: ratio(own, others[index]),
        atMost,
        digits: 2,
      })),
    };
  } finally {
    await Promise.all([app, openIdConnect, authExpress, browser].map(({ stop }) => stop()));
  }
}

/** The scopes of the application's authorization request. */
async function scopeOf({ origin, browser: newBrowser }) {
  const browser = newBrowser();
  const { path } = await browser.submit(await browser.open(origin + appLogin.page), appLogin.form);
  return new URL(path[1]).searchParams.get('scope');
}

/** Of the CPU times: the median of the rounds' ratios. */
const ratio = (results, others) => median(results.map(({ cpuUs }, round) => cpuUs / others[round].cpuUs));

function row(name, rounds, own) {
  const taken = rounds.flatMap((round) => round.taken);
  const [{ requests }] = taken;
  const times = taken.map(({ ms }) => ms);
  const cpuUs = rounds.map((round) => round.cpuUs);
  return {
    '': name,
    'p50 ms': rounded(percentile(times, 0.5), 1),
    'p99 ms': rounded(percentile(times, 0.99), 1),
    ...(Number.isNaN(cpuUs[0])
      ? {}
      : {
          'CPU µs/login, min': rounded(Math.min(...cpuUs), 0),
          median: rounded(median(cpuUs), 0),
          max: rounded(Math.max(...cpuUs), 0),
          'this app, times it': ratio(own, rounds).toFixed(2),
        }),
    requests,
    'Set-Cookie bytes of the session': Math.max(...taken.map(({ setCookieBytes }) => setCookieBytes)),
  };
}
