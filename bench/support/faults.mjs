// The faults of the soak test: each begins, lasts some seconds, and ends.
import { setTimeout as wait } from 'node:timers/promises';

/** Shorter than the two seconds between two refusals: a longer database failure at Zitadel ends sessions. */
const STUMBLE_MS = 1_500;

const secrets = ['1st', '2nd', '3rd', '4th'].map(
  (name) => `the ${name} secret of a soak that is long enough`,
);

/**
 * @param {Awaited<ReturnType<import('./shaken-system.mjs').startShakenSystem>>} system
 * @param {ReturnType<import('./random.mjs').randomFrom>} random
 * @returns {Record<string, { name: string, run: (lastsMs: number) => Promise<unknown> }>}
 */
export function faultsOf({ instances, redis, zitadel, useSecrets, origins }, random) {
  const during = (begin, end) => async (lastsMs) => {
    await begin();
    await wait(lastsMs);
    await end();
  };
  let step = 0;
  return {
    kill: {
      name: 'an instance killed',
      async run(lastsMs) {
        const [index = 0] = random.shuffled([...origins.keys()]);
        await instances.kill(index);
        await wait(lastsMs);
        await instances.start(index);
      },
    },
    restart: { name: 'rolling restart', run: () => instances.restartAll() },
    redisStopped: { name: 'Redis stopped', run: during(redis.stop, redis.start) },
    redisFrozen: { name: 'Redis frozen', run: during(redis.freeze, redis.thaw) },
    redisEmptied: { name: 'Redis emptied', run: () => redis.empty() },
    zitadelStopped: { name: 'Zitadel stopped', run: during(zitadel.shut, zitadel.open) },
    zitadelFrozen: { name: 'Zitadel frozen', run: during(zitadel.freeze, zitadel.thaw) },
    zitadelStumbles: {
      name: 'Zitadel without its database',
      async run(lastsMs) {
        await Promise.all([zitadel.refuseTokens(true), zitadel.failTokens(true)]);
        await wait(Math.min(STUMBLE_MS, lastsMs));
        await zitadel.refuseTokens(false);
        await wait(Math.max(0, lastsMs - STUMBLE_MS));
        await zitadel.failTokens(false);
      },
    },
    answersDropped: {
      name: 'answers of the token endpoint dropped',
      run: during(
        () => zitadel.dropTokens(true),
        () => zitadel.dropTokens(false),
      ),
    },
    changeOfSecret: {
      // Each call is one of the three steps of docs/deploy.md: between them every cookie is written again.
      name: 'SESSION_SECRET changed, one step',
      async run() {
        const [old, next] = [secrets[Math.floor(step / 3) % 4], secrets[(Math.floor(step / 3) + 1) % 4]];
        useSecrets([`${old},${next}`, `${next},${old}`, next][step++ % 3]);
        await instances.restartAll();
      },
    },
  };
}
