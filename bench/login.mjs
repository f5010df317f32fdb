import { startApp } from './support/app.mjs';
import { homePage, startServices } from './support/app-services.mjs';
import { appLogin } from './support/browser.mjs';
import { median, percentile, rounded } from './support/numbers.mjs';
import { peersSentence, startPeer } from './support/peers.mjs';
import { startProgram } from './support/programs.mjs';

export const question = 'What does a login take?';
export const about = `From the click on "Log in" to the profile page, through all redirects, for somebody who is signed in at the sandbox: the sandbox's time is in the milliseconds, not in the CPU time, which is the site's. ${peersSentence}.`;

/** @param {import('./main.mjs').Lab} lab */
export async function answer({ short, say }) {
  const [rounds, logins] = short ? [3, 6] : [5, 40];
  const person = 'alice@acme.example';
  const app = await startApp();
  const appBrowser = app.browser();
  await appBrowser.signIn(app.origin, person);
  const services = await startServices(app);
  const pages = { '/': homePage, '/profile': await services.profilePage(appBrowser) };
  await services.close();
  const openIdConnect = await startPeer('express-openid-connect', pages);
  const authExpress = await startPeer('@auth/express', pages);
  const browser = startProgram('bench/support/browser.program.mjs', { core: 'load' });
  try {
    const sites = [{ ...app, name: 'this app', login: appLogin }, openIdConnect, authExpress];
    const signIns = async ({ origin, login, cpuUs }) => {
      const before = cpuUs();
      const taken = [];
      while (taken.length < logins) taken.push(await browser.call('signIn', origin, person, login));
      return { taken, cpuUs: (cpuUs() - before) / logins };
    };
    for (const site of sites) await signIns(site);
    const results = sites.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const order = [...sites.keys()];
      for (const index of round % 2 ? order.reverse() : order) {
        results[index].push(await signIns(sites[index]));
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    return { rows: sites.map(({ name }, index) => row(name, results[index])), goals: [] };
  } finally {
    await Promise.all([app, openIdConnect, authExpress, browser].map(({ stop }) => stop()));
  }
}

function row(name, rounds) {
  const taken = rounds.flatMap((round) => round.taken);
  const [{ requests }] = taken;
  const times = taken.map(({ ms }) => ms);
  const cpuUs = median(rounds.map((round) => round.cpuUs));
  return {
    '': name,
    'p50 ms': rounded(percentile(times, 0.5), 1),
    'p99 ms': rounded(percentile(times, 0.99), 1),
    ...(Number.isNaN(cpuUs) ? {} : { 'CPU µs/login': rounded(cpuUs, 0) }),
    requests,
    'Set-Cookie bytes of the session': Math.max(...taken.map(({ setCookieBytes }) => setCookieBytes)),
  };
}
