import { generateKeyPairSync } from 'node:crypto';
import { startProgram } from './programs.mjs';
import { freePort, startPlainServer, startServer } from './servers.mjs';

/**
 * Starts the API as in production, and an introspection endpoint for it.
 *
 * @param {{ delayMs?: number }} [options] `delayMs`: the duration of an introspection
 */
export async function startApi({ delayMs = 0 } = {}) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const clientId = '312345678901234567';
  const idp = startProgram('bench/support/introspection.program.mjs', { core: 'load' });
  const issuer = await idp.call('start', { clientId, delayMs });
  const env = {
    NODE_ENV: 'production',
    APP_PORT: String(port),
    IDP_AUTHORITY: issuer,
    ZITADEL_API_KEY_FILE: JSON.stringify({
      type: 'application',
      keyId: '312345678901234568',
      key: newKey(),
      appId: '312345678901234569',
      clientId,
    }),
  };
  const server = await startServer('dist/api/main.js', { origin, env });
  return {
    ...server,
    env,
    idp: {
      cpuUs: idp.cpuUs,
      introspections: () => idp.call('introspections'),
      discoveries: () => idp.call('discoveries'),
    },
    async stop() {
      await Promise.all([server.stop(), idp.stop()]);
    },
  };
}

/**
 * Starts an API with the same route without the token check.
 *
 * @param {Record<string, string>} env of the API
 * @param {{ lean?: boolean }} [options] `lean`: with the HTTP server of this application
 */
export const startPlainApi = (env, options = {}) =>
  startPlainServer('bench/support/plain-api.program.mjs', env, options);

/** PKCS#1, as in a key file of Zitadel. */
const newKey = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
