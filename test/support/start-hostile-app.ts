import type { NestExpressApplication } from '@nestjs/platform-express';
import { Browser, type Page } from './browser.js';
import { freePort } from './free-port.js';
import type { Mutation } from './hostile/mutation.js';
import {
  clientId,
  startHostileProvider,
  type HostileProvider,
  type ProviderOptions,
} from './hostile-provider.js';
import { launch } from './start-app.js';

export interface HostileApp {
  origin: string;
  app: NestExpressApplication;
  provider: HostileProvider;
  /** the log lines of the application as `level message context` */
  log: string[];
  browser(): Browser;
  /** Signs in from the login page, with a mutation. */
  signIn(browser: Browser, mutation?: Mutation, from?: string): Promise<Page>;
  /** The callback of a sign-in before the browser requests it. */
  callbackOf(browser: Browser, mutation?: Mutation, from?: string): Promise<URL>;
  /** Presses the sign-out button of the profile. */
  logOut(browser: Browser): Promise<Page>;
  /** The result of `GET /auth/session`. */
  session(browser: Browser): Promise<{ user: Record<string, unknown>; expires: string } | null>;
  close(): Promise<void>;
}

interface Options {
  env?: Record<string, string>;
  provider?: ProviderOptions;
}

/** Starts the web application with a separate hostile provider. */
export async function startHostileApp(options: Options = {}): Promise<HostileApp> {
  const provider = await startHostileProvider(options.provider);
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const log: string[] = [];
  const app = await launch({ ...environment(origin, provider.issuer), ...options.env }, port, { log });

  const signIn = async (browser: Browser, mutation?: Mutation, from = '/auth/login') => {
    const login = await browser.get(from);
    if (mutation) provider.next(mutation);
    return browser.submit(login, 'form[action="/auth/signin/zitadel"]');
  };
  return {
    origin,
    app,
    provider,
    log,
    browser: () => new Browser(origin),
    signIn,
    callbackOf: (browser, mutation, from) =>
      browser.stopAt('/auth/callback', () => signIn(browser, mutation, from)),
    logOut: async (browser) =>
      browser.submit(await browser.get('/profile'), 'main form[action="/auth/logout"]'),
    session: async (browser) =>
      JSON.parse((await browser.get('/auth/session')).text) as Awaited<ReturnType<HostileApp['session']>>,
    close: async () => {
      await app.close();
      await provider.close();
    },
  };
}

const environment = (origin: string, issuer: string) => ({
  NODE_ENV: 'test',
  PORT: new URL(origin).port,
  SESSION_SECRET: 'a secret for hostile tests that is long enough',
  SESSION_SALT: 'a salt for hostile tests',
  AUTH_RATE_LIMIT: '0',
  ZITADEL_CHECK_AT_START: 'false',
  ZITADEL_TIMEOUT: '5',
  ZITADEL_DOMAIN: issuer,
  ZITADEL_CLIENT_ID: clientId,
  ZITADEL_CALLBACK_URL: `${origin}/auth/callback`,
  ZITADEL_POST_LOGOUT_URL: `${origin}/auth/logout/callback`,
});
