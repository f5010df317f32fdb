// The load generator.
import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { percentile } from './numbers.mjs';
import { serve } from './remote.mjs';

/** The number of bearer tokens so far; no token is used twice in this process. */
let tokens = 0;

/** The number of cookies sent so far. */
let cookiesSent = 0;

serve({
  /**
   * Requests `url` as fast as possible over `connections` connections; with `hasNewTokens` each request has another
   * bearer token with the same beginning; with `cookies` each request has the next of these, repeatedly. Ends after `seconds`, or after
   * `amount` requests.
   */
  async run({ url, headers, cookies, hasNewTokens, connections, seconds, amount }) {
    const times = [];
    let first = 0;
    let last = 0;
    const withNewToken = (request) => {
      request.headers.authorization = `${headers.authorization}-${tokens++}`;
      return request;
    };
    const withNextCookie = (request) => {
      request.headers.cookie = cookies[cookiesSent++ % cookies.length];
      return request;
    };
    const setupRequest = hasNewTokens ? withNewToken : cookies ? withNextCookie : undefined;
    const requests = setupRequest ? [{ setupRequest }] : undefined;
    const load = autocannon({
      url,
      headers,
      requests,
      connections,
      ...(amount ? { amount } : { duration: seconds }),
    });
    load.on('response', (_client, _status, _bytes, ms) => {
      last = performance.now();
      first ||= last;
      times.push(ms);
    });
    const { errors, timeouts, non2xx } = await load;
    return {
      requests: times.length,
      requestsPerSecond: ((times.length - 1) / (last - first)) * 1_000,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      failures: errors + timeouts + non2xx,
    };
  },
});
