import { Browser } from './browser.mjs';
import { startProgram } from './programs.mjs';
import { freePort, startPlainServer, startServer } from './servers.mjs';

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
  const server = await startServer('dist/main.js', { origin, env });
  return {
    origin,
    env,
    sandbox,
    cpuUs: server.cpuUs,
    browser: () => new Browser(),
    async stop() {
      await Promise.all([server.stop(), sandbox.stop()]);
    },
  };
}

/**
 * The plain program: the same pages with fixed view models, and nothing that knows of sign-in.
 *
 * @param {Record<string, object>} pages view model by path
 * @param {{ lean?: boolean }} [options] `lean`: with the HTTP server of this application
 */
export const startPlain = (pages, env, options = {}) =>
  startPlainServer('bench/support/plain.program.mjs', pages, env, options);
