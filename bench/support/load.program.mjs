// The load generator.
import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { serve } from './remote.mjs';

serve({
  /** Asks for `url` as fast as the answers come, over `connections` connections. */
  async run({ url, headers, connections, seconds }) {
    const times = [];
    let first = 0;
    let last = 0;
    const load = autocannon({ url, headers, connections, duration: seconds });
    load.on('response', (_client, _status, _bytes, ms) => {
      last = performance.now();
      first ||= last;
      times.push(ms);
    });
    const { errors, timeouts, non2xx } = await load;
    times.sort((a, b) => a - b);
    const percentile = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
    return {
      requests: times.length,
      requestsPerSecond: ((times.length - 1) / (last - first)) * 1_000,
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
      failures: errors + timeouts + non2xx,
    };
  },
});
