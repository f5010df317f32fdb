import { startApp, startPlain } from './support/app.mjs';
import { homePage, startServices } from './support/app-services.mjs';
import { compare, ratioOf } from './support/compare.mjs';
import { peersSentence, startPeer } from './support/peers.mjs';

export const question = 'What does being signed in cost a page?';
export const about = `\`GET /profile\`, signed in, against the same bytes from plain Nest and Handlebars, and from other ways to sign in; with a session cookie the process has seen before, and with one it has not, in every request. ${peersSentence}.`;

const PLAIN_GOAL = 0.9;
const PEER_GOAL = 2;
const P99_GOAL = 1.5;
const RSS_GOAL_MIB = 40;

/** Four times the size of the cache: each entry is evicted before it is used again. */
const UNSEEN = 2_000;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const person = 'alice@acme.example';
  const app = await startApp();
  const appForUnseen = await startApp();
  const browser = app.browser();
  await browser.signIn(app.origin, person);
  const services = await startServices(app);
  // Cookies contain the port of their application, so the second one has a separate browser.
  const servicesForUnseen = await startServices(appForUnseen);
  const browserForUnseen = appForUnseen.browser();
  const pages = { '/': homePage, '/profile': await services.profilePage(browser) };
  const plain = await startPlain(pages, app);
  const withoutSignIn = await startPlain(pages, app, { lean: true });
  const openIdConnect = await startPeer('express-openid-connect', pages);
  const authExpress = await startPeer('@auth/express', pages);
  try {
    // A session cookie slides after a minute. A browser would store the new one; here each round gets a new one.
    const headersOf = (cookie) => async () => ({ accept: 'text/html', cookie: await cookie() });
    const appCookie = () => browser.signIn(app.origin, person);
    const cookieForUnseen = () => browserForUnseen.signIn(appForUnseen.origin, person);
    const unseenCookies = async () => servicesForUnseen.differentCookies(await cookieForUnseen(), UNSEEN);
    const candidate = (name, server, options = {}) => ({
      name,
      url: `${server.origin}/profile`,
      server,
      headers: headersOf(appCookie),
      ...options,
    });
    const peer = (server) =>
      candidate(server.name, server, { headers: headersOf(() => server.signIn(person)) });
    const results = await compare(
      [
        candidate('plain', plain, { baseline: 'plain' }),
        candidate('this app without sign-in', withoutSignIn, { baseline: 'the same without sign-in' }),
        candidate('this app, cookie seen before', app),
        candidate('this app, unseen cookies', appForUnseen, {
          headers: headersOf(cookieForUnseen),
          cookies: unseenCookies,
        }),
        peer(openIdConnect),
        peer(authExpress),
      ],
      lab,
    );
    const [ofPlain, , seen, , ...ofPeers] = results;
    const peerGoal = (result) => ({
      name: `\`GET /profile\`, times ${result.row['']}`,
      measured: ratioOf(seen, result, 'requestsPerSecond'),
      atLeast: PEER_GOAL,
      digits: 2,
    });
    return {
      rows: results.map(({ row }) => row),
      goals: [
        {
          name: '`GET /profile`, share of plain',
          measured: ratioOf(seen, ofPlain, 'requestsPerSecond'),
          atLeast: PLAIN_GOAL,
          digits: 3,
        },
        ...ofPeers.map(peerGoal),
        {
          name: '`GET /profile`, p99, times plain',
          measured: ratioOf(seen, ofPlain, 'p99Ms'),
          atMost: P99_GOAL,
          digits: 2,
        },
        {
          name: 'RSS after that load, MiB above plain',
          measured: seen.rssMiB - ofPlain.rssMiB,
          atMost: RSS_GOAL_MIB,
          digits: 0,
        },
      ],
    };
  } finally {
    await Promise.all(
      [app, appForUnseen, plain, withoutSignIn, openIdConnect, authExpress].map(({ stop }) => stop()),
    );
    await services.close();
    await servicesForUnseen.close();
  }
}
