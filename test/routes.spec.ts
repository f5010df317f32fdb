import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/start-app.js';

/** All routes without a session. Add a new route only if it is meant to be public. */
const publicRoutes = [
  'GET /',
  // describes the routes for programs
  'GET /api-json',
  'ALL /metrics',
  'GET /health/live',
  'GET /health/ready',
  'GET /auth/error',
  'GET /auth/initiate',
  'GET /auth/login',
  'GET /auth/start',
  'GET /auth/logout/callback',
  'GET /auth/logout/error',
  'GET /auth/logout/success',
  'ALL /auth/backchannel-logout',
  // without ZITADEL_EVENTS_KEY 404
  'ALL /auth/zitadel-events',
  'POST /auth/logout',
  'POST /auth/logout/everywhere',
  'POST /auth/signout',
  // sign-in, callback, session, csrf and providers
  'ALL /auth/:action',
  'ALL /auth/:action/:provider',
];

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

interface Route {
  method: string;
  path: string;
}

function routes(): Route[] {
  const express = app.app.getHttpAdapter().getInstance();
  return express.router.stack.flatMap(({ route }) => {
    if (!route) return [];
    const methods = [...new Set(route.stack.map(({ method }) => method))];
    const names = methods.length > 5 ? ['ALL'] : methods.map((method) => method.toUpperCase());
    return names.map((method) => ({ method, path: route.path }));
  });
}

it('the router lists the routes of the application', () => {
  expect(routes().map(({ method, path }) => `${method} ${path}`)).toEqual(
    expect.arrayContaining(['GET /profile', 'GET /admin', 'GET /auth/userinfo', ...publicRoutes]),
  );
});

it('every route that is not in the list of public routes requires a session', async () => {
  const open: string[] = [];
  for (const { method, path } of routes()) {
    const name = `${method} ${path}`;
    if (publicRoutes.includes(name)) continue;
    const response = await app
      .browser()
      .request(method === 'ALL' ? 'GET' : method, new URL(path, app.origin));
    const isSentToLogin =
      [302, 303].includes(response.status) && response.headers['location']?.startsWith('/auth/login');
    if (!isSentToLogin) open.push(`${name} (${response.status})`);
  }
  expect(open).toEqual([]);
});

it('the list of public routes contains only existing routes that need no session', async () => {
  const known = routes().map(({ method, path }) => `${method} ${path}`);
  expect(publicRoutes.filter((name) => !known.includes(name))).toEqual([]);
  for (const name of publicRoutes.filter((route) => route.startsWith('GET'))) {
    const response = await app.browser().request('GET', new URL(name.slice(4), app.origin));
    expect(`${response.status} ${response.headers['location'] ?? ''}`).not.toContain('/auth/login');
  }
});
