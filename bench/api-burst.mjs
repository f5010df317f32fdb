import { performance } from 'node:perf_hooks';
import { startApi } from './support/api.mjs';
import { get } from './support/get.mjs';
import { rounded } from './support/numbers.mjs';

export const question = 'What happens when many requests bring the same unknown token?';
export const about =
  '100 × `GET /api/v1/app` at once, over 100 connections, as the first thing the process has to do; an introspection takes 200 ms.';

const REQUESTS = 100;
const INTROSPECTION_MS = 200;

export async function answer() {
  const { origin, idp, stop } = await startApi({ delayMs: INTROSPECTION_MS });
  try {
    const headers = { authorization: 'Bearer a-token-nobody-has-asked-about' };
    const before = await idp.introspections();

    const started = performance.now();
    const racing = await Promise.all(
      Array.from({ length: REQUESTS }, () => get(`${origin}/api/v1/app`, headers)),
    );
    const totalMs = performance.now() - started;

    const introspections = (await idp.introspections()) - before;
    const discoveries = await idp.discoveries();
    const answers200 = racing.filter(({ statusCode }) => statusCode === 200).length;
    return {
      rows: [
        {
          'requests at once': REQUESTS,
          introspections,
          'discoveries since the start': discoveries,
          'answers 200': answers200,
          'all answered after, ms': rounded(totalMs, 0),
        },
      ],
      goals: [
        {
          name: `introspections for ${REQUESTS} requests with one unknown token`,
          measured: introspections,
          exactly: 1,
          isCount: true,
        },
        { name: 'of them answered 200', measured: answers200, exactly: REQUESTS, isCount: true },
        { name: 'discoveries for them', measured: discoveries, atMost: 1, isCount: true },
      ],
    };
  } finally {
    await stop();
  }
}
