import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { startProgram } from './programs.mjs';

const START_MS = 20_000;

/**
 * The real application as it runs in production, and a sandbox to sign in at.
 *
 * @param {import('zitadel-sandbox').SandboxOptions} [options]
 */
export async function startApp(options = {}) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const sandbox = startProgram('bench/support/sandbox.program.mjs', { core: 'load' });
  const { issuer, clientId } = await sandbox.call('start', {
    ...options,
    web: {
      redirectUris: [`${origin}/auth/callback`],
      postLogoutRedirectUris: [`${origin}/auth/logout/callback`],
      ...options.web,
    },
  });
  const env = {
    NODE_ENV: 'production',
    PORT: String(port),
    SESSION_SECRET: 'a secret for the benchmark that is long enough',
    SESSION_SALT: 'a salt for the benchmark',
    ZITADEL_DOMAIN: issuer,
    ZITADEL_CLIENT_ID: clientId,
    ZITADEL_CALLBACK_URL: `${origin}/auth/callback`,
    AUTH_RATE_LIMIT: '0',
  };
  const program = startProgram('dist/main.js', { core: 'server', env, served: false });
  await answers(program, origin);
  return {
    origin,
    env,
    sandbox,
    cpuUs: program.cpuUs,
    browser: () => new Browser(),
    async stop() {
      await Promise.all([program.stop(), sandbox.stop()]);
    },
  };
}

/**
 * The plain program: the same pages with fixed view models, and nothing that knows of sign-in.
 *
 * @param {Record<string, object>} pages view model by path
 * @param {{ lean?: boolean }} [options] `lean`: with the HTTP server of this application
 */
export async function startPlain(pages, env, options = {}) {
  const program = startProgram('bench/support/plain.program.mjs', {
    core: 'server',
    env: { NODE_ENV: 'production' },
  });
  const port = await program.call('start', pages, env, options);
  return { origin: `http://localhost:${port}`, cpuUs: program.cpuUs, stop: program.stop };
}

async function answers(program, origin) {
  for (const end = Date.now() + START_MS; Date.now() < end && !program.problem; await wait(50)) {
    const answer = await fetch(origin, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
  }
  throw new Error(program.problem ?? `${origin} does not answer`);
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
