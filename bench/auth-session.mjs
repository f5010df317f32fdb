import { startApp, startPlain } from './support/app.mjs';
import { homePage } from './support/app-services.mjs';
import { compare } from './support/compare.mjs';
import { peersSentence, startPeer } from './support/peers.mjs';

export const question = 'What does asking for the session cost?';
export const about = `\`GET /auth/session\`, signed in, against the same JSON from plain Nest, and against what \`@auth/express\` answers there: name, e-mail and picture. ${peersSentence}.`;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const person = 'alice@acme.example';
  const app = await startApp();
  const browser = app.browser();
  await browser.signIn(app.origin, person);
  const { text } = await browser.open(`${app.origin}/auth/session`);
  const pages = { '/auth/session': { json: JSON.parse(text) } };
  const plain = await startPlain(pages, app);
  const withoutSignIn = await startPlain(pages, app, { lean: true });
  const authExpress = await startPeer('@auth/express', { '/': homePage, '/profile': homePage });
  try {
    const headersOf = (cookie) => async () => ({ accept: 'application/json', cookie: await cookie() });
    const candidate = (name, server, options) => ({
      name,
      url: `${server.origin}/auth/session`,
      server,
      headers: headersOf(() => browser.signIn(app.origin, person)),
      ...options,
    });
    const results = await compare(
      [
        candidate('plain', plain, { baseline: 'plain' }),
        candidate('this app without sign-in', withoutSignIn, { baseline: 'the same without sign-in' }),
        candidate('this app, cookie seen before', app),
        candidate('@auth/express', authExpress, {
          headers: headersOf(() => authExpress.signIn(person)),
          isOwnAnswer: true,
        }),
      ],
      lab,
    );
    return { rows: results.map(({ row }) => row), goals: [] };
  } finally {
    await Promise.all([app, plain, withoutSignIn, authExpress].map(({ stop }) => stop()));
  }
}
