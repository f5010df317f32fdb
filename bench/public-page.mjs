import { startApp, startPlain } from './support/app.mjs';
import { comparePages } from './support/compare-pages.mjs';

export const question = 'What does the module cost a public page?';
export const about =
  '`GET /` for somebody who is not signed in: a visitor whose browser has the CSRF cookie, which is every page view but the first. The first, which makes that cookie, is measured beside it.';

const GOAL = 0.97;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const app = await startApp();
  const frame = { links: [{ href: '/profile', label: 'Profile', isCurrent: false }] };
  const plain = await startPlain({ '/': { view: 'home', model: { frame } } }, app.env);
  try {
    const browser = app.browser();
    await browser.open(app.origin);
    const returning = async () => ({ accept: 'text/html', cookie: browser.cookieHeader(app.origin) });
    const first = async () => ({ accept: 'text/html' });
    const url = `${app.origin}/`;
    const results = await comparePages(
      [
        { name: 'plain', url: `${plain.origin}/`, cpuUs: plain.cpuUs, headers: returning },
        { name: 'this app, nobody signed in', url, cpuUs: app.cpuUs, headers: returning },
        { name: 'this app, first visit', url, cpuUs: app.cpuUs, headers: first },
      ],
      lab,
    );
    return {
      rows: results.map(({ row }) => row),
      goals: [
        { name: 'anonymous `GET /`, share of plain', measured: results[1].ratio, atLeast: GOAL, digits: 3 },
      ],
    };
  } finally {
    await Promise.all([app.stop(), plain.stop()]);
  }
}
