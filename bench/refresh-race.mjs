import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { startApp } from './support/app.mjs';
import { get } from './support/get.mjs';
import { rounded } from './support/numbers.mjs';

export const question = 'What happens when many requests race at the expiry of the access token?';
export const about =
  '50 × `GET /profile` at once, over 50 connections, with one session whose access token has just expired; the token endpoint takes 300 ms.';

const REQUESTS = 50;
const TOKEN_ENDPOINT_MS = 300;
const TOKEN_LIFETIME_S = 1;

export async function answer() {
  const app = await startApp();
  const { sandbox, origin } = app;
  try {
    await sandbox.call('setAccessTokenTtl', TOKEN_LIFETIME_S);
    const cookie = await app.browser().signIn(origin, 'alice@acme.example');
    await sandbox.call('setAccessTokenTtl', 3600);
    await wait(TOKEN_LIFETIME_S * 1_000);
    await sandbox.call('delay', '/oauth/v2/token', TOKEN_ENDPOINT_MS);
    const before = await sandbox.call('grants', 'refresh_token');

    const started = performance.now();
    const racing = await Promise.all(
      Array.from({ length: REQUESTS }, () => get(`${origin}/profile`, { accept: 'text/html', cookie })),
    );
    const totalMs = performance.now() - started;
    // A late request with the old cookie.
    const late = await get(`${origin}/profile`, { accept: 'text/html', cookie });

    const tokenRequests = (await sandbox.call('grants', 'refresh_token')) - before;
    const answers200 = racing.filter(({ statusCode }) => statusCode === 200).length;
    return {
      rows: [
        {
          'requests at once': REQUESTS,
          'token requests': tokenRequests,
          'answers 200': answers200,
          'of them with a new cookie': racing.filter(isRenewed).length,
          'all answered after, ms': rounded(totalMs, 0),
          'late request, old cookie': late.statusCode,
        },
      ],
      goals: [
        {
          name: `token requests for ${REQUESTS} racing requests`,
          measured: tokenRequests,
          exactly: 1,
          isCount: true,
        },
        { name: 'of them answered 200', measured: answers200, exactly: REQUESTS, isCount: true },
      ],
    };
  } finally {
    await app.stop();
  }
}

const isRenewed = ({ headers }) =>
  (headers['set-cookie'] ?? []).some((line) => line.includes('session-token'));
