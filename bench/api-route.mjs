import { startApi, startPlainApi } from './support/api.mjs';
import { compare } from './support/compare.mjs';

export const question = "What does the API's token check cost?";
export const about =
  '`GET /api/v1/app` with a bearer token, against the same bytes from the same controller in plain Nest: with one token, which the process knows, and with a new token each time, about which it has to ask.';

const KNOWN_GOAL = 0.9;
const UNKNOWN_GOAL = 0.55;

/** The length of an opaque token of Zitadel. */
const TOKEN = 'opaque'.padEnd(200, '0');

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const api = await startApi();
  const plain = await startPlainApi(api.env);
  const withoutCheck = await startPlainApi(api.env, { lean: true });
  try {
    const headers = async () => ({ accept: 'application/json', authorization: `Bearer ${TOKEN}` });
    const candidate = (name, server, options) => ({
      name,
      url: `${server.origin}/api/v1/app`,
      server,
      headers,
      idp: api.idp,
      ...options,
    });
    const results = await compare(
      [
        candidate('plain', plain, { baseline: 'plain' }),
        candidate('the API without token check', withoutCheck, { baseline: 'the same without token check' }),
        candidate('the API, known token', api),
        candidate('the API, unknown tokens', api, { hasNewTokens: true }),
      ],
      lab,
    );
    const [, , known, unknown] = results;
    if (unknown.introspections < 0.99) throw new Error('Unknown tokens were let in without asking');
    const discoveries = await api.idp.discoveries();
    return {
      rows: results.map(({ row }) => row),
      goals: [
        {
          name: 'API, known token, share of plain',
          measured: known.ratios.plain,
          atLeast: KNOWN_GOAL,
          digits: 3,
        },
        {
          name: 'API, unknown tokens, share of plain',
          measured: unknown.ratios.plain,
          atLeast: UNKNOWN_GOAL,
          digits: 3,
        },
        { name: 'discoveries during all that', measured: discoveries, atMost: 1, isCount: true },
      ],
    };
  } finally {
    await Promise.all([api.stop(), plain.stop(), withoutCheck.stop()]);
  }
}
