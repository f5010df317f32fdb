// An Express application with the same headers, views and static files as this application.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { securityHeaders } from '../../build/web/security-headers.js';
import { useViews } from '../../build/web/view-engine.js';

/** The environment that `support/peers.mjs` passes to the program of a peer. */
export const settings = JSON.parse(process.env.SETTINGS ?? '');

export function expressSite() {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(securityHeaders(settings.site, { origins: [] }));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const frameOf = ({ path }, { locals }) => ({ ...settings.pages[path].model.frame, ...locals });
  useViews(withNestNames(app), root, { cache: true, basePath: '' }, frameOf);
  app.get('/', (_request, response) => renderPage(response, '/'));
  return app;
}

/** Renders a page for the user with that name. */
export function renderPage(response, path, userName) {
  const { view, model } = settings.pages[path];
  response.setHeader('Cache-Control', 'no-store');
  response.locals = { userName };
  response.render(view, model);
}

/** The methods that Nest adds to those of Express. */
const withNestNames = (app) => ({
  getHttpAdapter: () => ({ getInstance: () => app }),
  useStaticAssets: (folder, { prefix, ...options }) => app.use(prefix, express.static(folder, options)),
});
