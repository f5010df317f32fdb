import { resolve } from 'node:path';
import { startSandbox, type SandboxOptions } from 'zitadel-sandbox';
import { Browser } from './browser.js';
import { freePort } from './free-port.js';
import { startNginx } from './nginx.js';
import { startRedis } from './redis.js';
import { runProgram } from './run-program.js';
import { environment, redirectUrisOf, type StartOptions } from './start-app.js';

/** Two processes of the built application behind nginx that share a Redis and a sandbox. */
export async function startInstances(options: { sandbox?: SandboxOptions; env?: StartOptions['env'] } = {}) {
  const [port, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
  const origin = `http://localhost:${port}`;
  const [redis, sandbox] = await Promise.all([
    startRedis(),
    startSandbox({
      ...options.sandbox,
      web: {
        ...redirectUrisOf(origin),
        backChannelLogoutUri: `${origin}/auth/backchannel-logout`,
        ...options.sandbox?.web,
      },
    }),
  ]);
  const env = typeof options.env === 'function' ? await options.env(sandbox, origin) : options.env;
  const start = (own: number) =>
    runProgram('node', [resolve('dist/main.js')], {
      ...environment(origin, sandbox),
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      PORT: String(own),
      REDIS_URL: redis.url,
      ...env,
    });
  const programs = ports.map(start);
  await Promise.all(programs.map((program) => program.says('Ready')));
  const origins = ports.map((own) => `http://localhost:${own}`);
  const nginx = await startNginx(port, origins);
  return {
    origin,
    /** the addresses of the instances behind nginx */
    origins,
    redis,
    sandbox,
    browser: () => new Browser(origin),
    /** the log of an instance */
    log: (index: number) => programs[index]?.output() ?? '',
    stop: (index: number) => programs[index]?.stop(),
    /** Removes this instance from the upstreams of nginx. */
    leaveOut: (index: number) => nginx.serve(origins.filter((_, other) => other !== index)),
    async restart(index: number) {
      await programs[index]?.stop();
      const program = start(ports[index] ?? 0);
      programs[index] = program;
      await program.says('Ready');
    },
    async close() {
      await nginx.stop();
      await Promise.all([...programs.map((program) => program.stop()), sandbox.close()]);
      await redis.stop();
    },
  };
}

export type RunningInstances = Awaited<ReturnType<typeof startInstances>>;
