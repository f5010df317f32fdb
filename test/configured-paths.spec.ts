import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError, routesOf } from '@mridang/nestjs-program';
import { pathProblems, readEnv } from '../src/config/env.js';
import { isAuthAction } from '../src/web/path-check.js';
import { freePort } from './support/free-port.js';
import { environment, launch, startApp, type RunningApp } from './support/start-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

/** The variables whose paths conflict with routes of the application. */
function problemsOf(source: Record<string, string>) {
  const env = readEnv({ ...environment('http://localhost:3000', app.sandbox), ...source });
  const express = app.app.getHttpAdapter().getInstance();
  return pathProblems(env, routesOf(express, isAuthAction)).map(({ variable }) => variable);
}

describe.each(['ZITADEL_CALLBACK_URL', 'ZITADEL_POST_LOGOUT_URL'])('%s', (name) => {
  it.each([
    ...['', '/', '/profile', '/profile/api', '/admin', '/auth/login', '/auth/logout', '/auth/logout/success'],
    ...['/auth/signin/zitadel', '/auth/session', '/auth/userinfo', '/health/ready', '/static/x', '/static/'],
    ...['/Profile', '/profile/', '/HEALTH/live', '/auth/Login', '/metrics/'],
  ])('is refused with the path of a route in any spelling: "%s"', (path) => {
    expect(problemsOf({ [name]: `http://localhost:3000${path}` })).toEqual([name]);
    const base = {
      BASE_PATH: '/base',
      ZITADEL_CALLBACK_URL: 'http://localhost:3000/base/auth/callback',
      ZITADEL_POST_LOGOUT_URL: 'http://localhost:3000/base/auth/logout/callback',
    };
    if (path) expect(problemsOf({ ...base, [name]: `http://localhost:3000/base${path}` })).toEqual([name]);
  });

  it.each([
    '/signed-in',
    '/oidc/return',
    '/profiles',
    '/statics/x',
    '/healthy',
    '/favicon.png',
    '/auth/cb',
    '/auth/zitadel/back',
  ])('is accepted with a path that is not a route: %s', (path) =>
    expect(problemsOf({ [name]: `http://localhost:3000${path}` })).toEqual([]),
  );
});

it.each(['/auth/callback', '/auth/callback/zitadel', '/auth/callback/', '/Auth/Callback'])(
  'ZITADEL_CALLBACK_URL is accepted with the path of the callback route: %s',
  (path) => expect(problemsOf({ ZITADEL_CALLBACK_URL: `http://localhost:3000${path}` })).toEqual([]),
);

describe('BASE_PATH', () => {
  const below = (BASE_PATH: string) => ({
    BASE_PATH,
    ZITADEL_CALLBACK_URL: `http://localhost:3000${BASE_PATH}/auth/callback`,
    ZITADEL_POST_LOGOUT_URL: `http://localhost:3000${BASE_PATH}/auth/logout/callback`,
  });

  it.each(['/profile', '/profile/x', '/admin', '/health', '/Static', '/metrics'])(
    'is refused when it begins like a route: %s',
    (path) => expect(problemsOf(below(path))).toEqual(['BASE_PATH']),
  );

  it.each(['/base', '/profiles', '/my/profile', '/authentication'])(
    'is accepted when it does not begin like a route: %s',
    (path) => expect(problemsOf(below(path))).toEqual([]),
  );
});

it.each(['/signed-in', '/BYE', '/bye/?a=b'])(
  'ZITADEL_POST_LOGIN_URL=%s is refused when it is a redirect URI',
  (path) => {
    const addresses = {
      ZITADEL_CALLBACK_URL: 'http://localhost:3000/signed-in',
      ZITADEL_POST_LOGOUT_URL: 'http://localhost:3000/bye',
    };
    expect(problemsOf({ ...addresses, ZITADEL_POST_LOGIN_URL: path })).toEqual(['ZITADEL_POST_LOGIN_URL']);
  },
);

it('an application whose redirect URI has the path of another route does not start', async () => {
  const port = await freePort();
  const source = environment(`http://localhost:${port}`, app.sandbox, { callbackPath: '/profile' });
  const started = launch(source, port);
  await expect(started).rejects.toBeInstanceOf(ConfigError);
  await expect(started).rejects.toMatchObject({
    problems: [{ variable: 'ZITADEL_CALLBACK_URL', expected: expect.stringContaining('no other use') }],
  });
});
