import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { startProgram } from './programs.mjs';
import { freePort, startServer } from './servers.mjs';

/**
 * Starts the application as in production, and a sandbox for it.
 *
 * @param {import('zitadel-sandbox').SandboxOptions} [options]
 */
export async function startApp(options = {}) {
  const app = await prepareApp(options);
  const server = await app.start();
  return { ...app, ...server, stop: async () => void (await Promise.all([server.stop(), app.stop()])) };
}

/** Like `startApp`, but the program starts when `start` is called. */
export async function prepareApp(options = {}) {
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
  return {
    origin,
    env,
    sandbox,
    site: { origin, zitadel: { issuer, loginOrigins: [] } },
    browser: () => new Browser(),
    start: (moreEnv = {}) => startServer('dist/main.js', { origin, env: { ...env, ...moreEnv } }),
    stop: sandbox.stop,
  };
}

/**
 * Starts the baseline: the same pages with fixed view models, without sign-in.
 *
 * @param {Record<string, object>} pages by path: view and model, or JSON
 * @param {{ site: object }} app the application with the same security headers
 * @param {{ lean?: boolean }} [options] `lean`: with the HTTP server of this application
 */
export async function startPlain(pages, app, options = {}) {
  const plain = await preparePlain(pages, app, options);
  return plain.start();
}

/** Like `startPlain`, but the program starts when `start` is called. */
export async function preparePlain(pages, { site }, { lean = false } = {}) {
  const port = await freePort();
  const env = { NODE_ENV: 'production', SETTINGS: JSON.stringify({ port, site, pages, lean }) };
  const origin = `http://localhost:${port}`;
  return {
    start: (moreEnv = {}) =>
      startServer('bench/support/plain.program.mjs', { origin, env: { ...env, ...moreEnv } }),
  };
}

/**
 * Starts the least that sends the bytes of a page: Nest and Handlebars with one static view in one layout, nothing else.
 *
 * @param {string} path
 * @param {string} page
 */
export async function startStatic(path, page) {
  const views = mkdtempSync(join(tmpdir(), 'bench-views-'));
  const begin = page.indexOf('>', page.indexOf('<main')) + 1;
  const end = page.indexOf('</main>');
  writeFileSync(join(views, 'page.hbs'), page.slice(begin, end));
  writeFileSync(join(views, 'layout.hbs'), `${page.slice(0, begin)}{{{body}}}${page.slice(end)}`);
  const port = await freePort();
  const env = { NODE_ENV: 'production', SETTINGS: JSON.stringify({ port, path, views }) };
  const origin = `http://localhost:${port}${path}`;
  const server = await startServer('bench/support/static-page.program.mjs', { origin, env });
  const stop = async () => {
    await server.stop();
    rmSync(views, { recursive: true });
  };
  return { ...server, origin: `http://localhost:${port}`, stop };
}
