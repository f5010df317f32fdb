import { startApp, startPlain } from './support/app.mjs';
import { homePage } from './support/app-services.mjs';
import { compare } from './support/compare.mjs';

export const question = 'What does the module cost a public page?';
export const about =
  '`GET /` for somebody who is not signed in: a visitor who has the CSRF cookie of the login page, and one who has no cookie.';

const GOAL = 0.97;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const app = await startApp();
  const pages = { '/': homePage };
  const plain = await startPlain(pages, app);
  const withoutSignIn = await startPlain(pages, app, { lean: true });
  try {
    const browser = app.browser();
    await browser.open(`${app.origin}/auth/login`);
    const returning = async () => ({ accept: 'text/html', cookie: browser.cookieHeader(app.origin) });
    const first = async () => ({ accept: 'text/html' });
    const candidate = (name, server, headers, baseline) => ({
      name,
      url: `${server.origin}/`,
      server,
      headers,
      baseline,
    });
    const results = await compare(
      [
        candidate('plain', plain, returning, 'plain'),
        candidate('this app without sign-in', withoutSignIn, returning, 'the same without sign-in'),
        candidate('this app, nobody signed in', app, returning),
        candidate('this app, first visit', app, first),
      ],
      lab,
    );
    return {
      rows: results.map(({ row }) => row),
      goals: [
        {
          name: 'anonymous `GET /`, share of plain',
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
