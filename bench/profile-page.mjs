import { startApp, startPlain, startStatic } from './support/app.mjs';
import { homePage, startServices } from './support/app-services.mjs';
import { compare, ratioOf, ratioSpreadOf } from './support/compare.mjs';
import { peersSentence, startPeer } from './support/peers.mjs';

export const question = 'What does being signed in cost a page?';
export const about = `\`GET /profile\`, signed in, against the same bytes from one static view with one layout in Nest and Handlebars, from the same views without a session (plain), and from other ways to sign in; with a session cookie the process has seen before, and with one it has not, in every request. ${peersSentence}.`;

const STATIC_GOAL = 1;
const ROLES_GOAL = 0.8;
const PLAIN_GOAL = 0.9;
const PEER_GOAL = 2;
const P99_GOAL = 1.5;
const RSS_GOAL_MIB = 40;

/** Four times the size of the cache: each entry is evicted before it is used again. */
const UNSEEN = 2_000;

const manyRoles = {
  loginName: 'many-roles@acme.example',
  givenName: 'Many',
  familyName: 'Roles',
  email: 'many-roles@acme.example',
  roles: Array.from({ length: 30 }, (_, index) => `role-${index}`),
};

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const ofOne = await compareAll(lab);
  const ofRoles = await compareWithRoles(lab);
  return { rows: [...ofOne.rows, ...ofRoles.rows], goals: [...ofRoles.goals, ...ofOne.goals] };
}

const staticGoal = (name, app, one, atLeast) => ({
  name: `${name}, times one static view`,
  measured: ratioOf(app, one, 'requestsPerSecond'),
  spread: ratioSpreadOf(app, one, 'requestsPerSecond'),
  atLeast,
  digits: 2,
});

/** A person with thirty roles. */
async function compareWithRoles(lab) {
  const { loginName } = manyRoles;
  const app = await startApp({ users: [manyRoles] });
  const browser = app.browser();
  await browser.signIn(app.origin, loginName);
  const one = await startStatic('/profile', (await browser.open(`${app.origin}/profile`)).text);
  const headers = async () => ({ accept: 'text/html', cookie: await browser.signIn(app.origin, loginName) });
  const candidate = (name, server, options) => ({
    name,
    url: `${server.origin}/profile`,
    server,
    headers,
    ...options,
  });
  try {
    const results = await compare(
      [
        candidate('one static view, 30 roles', one, { baseline: 'one static view' }),
        candidate('this app, cookie seen before, 30 roles', app),
      ],
      lab,
    );
    const [ofOne, ofApp] = results;
    return {
      rows: results.map(({ row }) => row),
      goals: [staticGoal('`GET /profile`, 30 roles', ofApp, ofOne, ROLES_GOAL)],
    };
  } finally {
    await Promise.all([app.stop(), one.stop()]);
  }
}

async function compareAll(lab) {
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
  const one = await startStatic('/profile', (await browser.open(`${app.origin}/profile`)).text);
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
        candidate('one static view', one, { baseline: 'one static view' }),
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
    const [ofOne, ofPlain, , seen, , ...ofPeers] = results;
    const peerGoal = (result) => ({
      name: `\`GET /profile\`, times ${result.row['']}`,
      measured: ratioOf(seen, result, 'requestsPerSecond'),
      atLeast: PEER_GOAL,
      digits: 2,
    });
    return {
      rows: results.map(({ row }) => row),
      goals: [
        staticGoal('`GET /profile`', seen, ofOne, STATIC_GOAL),
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
      [app, appForUnseen, one, plain, withoutSignIn, openIdConnect, authExpress].map(({ stop }) => stop()),
    );
    await services.close();
    await servicesForUnseen.close();
  }
}
