import { profileOf } from '../dist/pages/profile.js';
import { startApp, startPlain } from './support/app.mjs';
import { compare } from './support/compare.mjs';

export const question = 'What does being signed in cost a page?';
export const about =
  '`GET /profile` with a session cookie the process has seen before, against the same bytes from plain Nest and Handlebars.';

const GOAL = 0.85;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const app = await startApp();
  const browser = app.browser();
  await browser.signIn(app.origin, 'alice@acme.example');
  const pages = { '/profile': await profilePage(app.origin, browser) };
  const plain = await startPlain(pages, app.env);
  const withoutSignIn = await startPlain(pages, app.env, { lean: true });
  try {
    // A session cookie is renewed after a minute. A browser would send the new one; here each round gets its own.
    const headers = async () => ({
      accept: 'text/html',
      cookie: await browser.signIn(app.origin, 'alice@acme.example'),
    });
    const candidate = (name, { origin, cpuUs }, baseline) => ({
      name,
      url: `${origin}/profile`,
      cpuUs,
      headers,
      baseline,
    });
    const results = await compare(
      [
        candidate('plain', plain, 'plain'),
        candidate('this app without sign-in', withoutSignIn, 'the same without sign-in'),
        candidate('this app, signed in', app),
      ],
      lab,
    );
    return {
      rows: results.map(({ row }) => row),
      goals: [
        {
          name: '`GET /profile`, share of plain',
          measured: results[2].ratios.plain,
          atLeast: GOAL,
          digits: 3,
        },
      ],
    };
  } finally {
    await Promise.all([app.stop(), plain.stop(), withoutSignIn.stop()]);
  }
}

async function profilePage(origin, browser) {
  const { text } = await browser.open(`${origin}/auth/session`);
  const session = JSON.parse(text);
  const profile = await browser.open(`${origin}/profile`);
  const frame = {
    userName: session.user.name,
    links: [
      { href: '/profile', label: 'Profile', isCurrent: true },
      { href: '/admin', label: 'Admin', isCurrent: false },
    ],
    csrfToken: /name="csrfToken" value="(\w+)"/.exec(profile.text)?.[1],
  };
  return { view: 'profile', model: { profile: profileOf(session), frame } };
}
