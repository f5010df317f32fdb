import { inspect } from 'node:util';
import type { LoggerService, Type } from '@nestjs/common';
import { LeanExpressAdapter } from '@mridang/nestjs-program';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { startSandbox, type Sandbox, type SandboxOptions } from 'zitadel-sandbox';
import { AppModule } from '../../src/app.module.js';
import { configureApp } from '../../src/app.setup.js';
import { readEnv } from '../../src/config/env.js';
import { Browser } from './browser.js';
import { freePort } from './free-port.js';

export interface RunningApp {
  origin: string;
  sandbox: Sandbox;
  app: NestExpressApplication;
  browser(): Browser;
  close(): Promise<void>;
}

export interface StartOptions {
  /** variables, or what returns them when the sandbox runs */
  env?: Record<string, string> | ((sandbox: Sandbox, origin: string) => Promise<Record<string, string>>);
  sandbox?: SandboxOptions;
  /** path of `ZITADEL_CALLBACK_URL` */
  callbackPath?: string;
  /** path of `ZITADEL_POST_LOGOUT_URL` */
  postLogoutPath?: string;
  /** receives the log lines of the application as `level message` */
  log?: string[];
  /** additional routes */
  controllers?: Type[];
}

/** The redirect URIs of an application on `origin`, as they are registered in the sandbox. */
export const redirectUrisOf = (origin: string, { callbackPath, postLogoutPath }: StartOptions = {}) => ({
  redirectUris: [origin + (callbackPath ?? '/auth/callback')],
  postLogoutRedirectUris: [origin + (postLogoutPath ?? '/auth/logout/callback')],
});

/** The environment of an application on `origin` with the sandbox as its Zitadel. */
export function environment(
  origin: string,
  sandbox: Sandbox,
  { callbackPath, postLogoutPath }: StartOptions = {},
) {
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    AUTH_RATE_LIMIT: '0',
    ZITADEL_CHECK_AT_START: 'false',
    PORT: new URL(origin).port,
    SESSION_SECRET: 'a secret for the tests that is long enough',
    SESSION_SALT: 'a salt for the tests',
    ZITADEL_DOMAIN: sandbox.issuer,
    ZITADEL_CLIENT_ID: sandbox.clients.web.clientId,
    ZITADEL_CLIENT_SECRET: sandbox.clients.web.clientSecret ?? '',
    ZITADEL_CALLBACK_URL: `${origin}${callbackPath ?? '/auth/callback'}`,
    ZITADEL_POST_LOGOUT_URL: `${origin}${postLogoutPath ?? '/auth/logout/callback'}`,
  };
}

/** Starts the web application and a separate sandbox, both on free ports. */
export async function startApp(options: StartOptions = {}): Promise<RunningApp> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const sandbox = await startSandbox({
    ...options.sandbox,
    web: { ...redirectUrisOf(origin, options), ...options.sandbox?.web },
  });
  const env = typeof options.env === 'function' ? await options.env(sandbox, origin) : options.env;
  const app = await launch({ ...environment(origin, sandbox, options), ...env }, port, options);
  return {
    origin,
    sandbox,
    app,
    browser: () => new Browser(origin),
    close: async () => {
      await app.close();
      await sandbox.close();
    },
  };
}

/** Starts the web application on `port`; `log` receives its log lines of every level. */
export async function launch(
  source: Record<string, string>,
  port: number,
  { log, controllers = [] }: Pick<StartOptions, 'log' | 'controllers'> = {},
): Promise<NestExpressApplication> {
  const module = await Test.createTestingModule({
    imports: [AppModule.register(readEnv(source))],
    controllers,
  }).compile();
  const app = module.createNestApplication<NestExpressApplication>(new LeanExpressAdapter(), {
    bodyParser: false,
    logger: log ? recorder(log) : false,
  });
  configureApp(app);
  await app.listen(port);
  return app;
}

function recorder(log: string[]): LoggerService {
  const record =
    (level: string) =>
    (...parts: unknown[]) =>
      void log.push(
        [level, ...parts.map((part) => (typeof part === 'string' ? part : inspect(part)))].join(' '),
      );
  return {
    log: record('log'),
    warn: record('warn'),
    error: record('error'),
    fatal: record('error'),
    debug: record('debug'),
    verbose: record('debug'),
  };
}
