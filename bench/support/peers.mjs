// Other libraries for a sign-in with Zitadel, each with a separate sandbox.
import { readFileSync } from 'node:fs';
import { Browser } from './browser.mjs';
import { startProgram } from './programs.mjs';
import { freePort, startServer } from './servers.mjs';

const kinds = {
  'express-openid-connect': {
    program: 'bench/support/express-openid-connect.program.mjs',
    callback: '/callback',
    login: { page: '/', link: '/login', session: 'appSession' },
  },
  '@auth/express': {
    program: 'bench/support/auth-express.program.mjs',
    callback: '/auth/callback/zitadel',
    login: {
      page: '/auth/signin?callbackUrl=/profile',
      form: 'form[action$="/auth/signin/zitadel"]',
      session: 'authjs.session-token',
    },
  },
};

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'))
    .version;

const namesAndVersions = Object.keys(kinds).map((name) => `\`${name}\` ${versionOf(name)}`);

/** The compared versions. */
export const peersSentence = `${namesAndVersions.join(' and ')} run on Express ${versionOf('express')}`;

/**
 * Starts an Express application with one of these packages.
 *
 * @param {keyof typeof kinds} name
 * @param {Record<string, object>} pages view model by path: `/` and `/profile`
 * @param {{ scope?: string }} [options] `scope`: default is that of the package
 */
export async function startPeer(name, pages, options = {}) {
  const peer = await preparePeer(name, pages, options);
  const server = await peer.start();
  return { ...peer, ...server, stop: async () => void (await Promise.all([server.stop(), peer.stop()])) };
}

/** Like `startPeer`, but its program starts when `start` is called. */
export async function preparePeer(name, pages, { scope } = {}) {
  const { program, callback, login } = kinds[name];
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const sandbox = startProgram('bench/support/sandbox.program.mjs', { core: 'load' });
  const { issuer, clientId, clientSecret } = await sandbox.call('start', {
    // Both read the user from the ID token.
    web: { redirectUris: [origin + callback], authMethod: 'basic', idTokenUserinfo: true },
  });
  const settings = {
    ...{ port, origin, issuer, clientId, clientSecret, pages, scope },
    site: { origin, zitadel: { issuer, loginOrigins: [] } },
    secret: 'a secret for the benchmark that is long enough',
  };
  const env = { NODE_ENV: 'production', SETTINGS: JSON.stringify(settings) };
  return {
    name,
    origin,
    login,
    signIn: (loginName) => new Browser().signIn(origin, loginName, login),
    start: () => startServer(program, { origin, env }),
    stop: sandbox.stop,
  };
}
