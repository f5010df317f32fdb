import type { Browser as Chromium, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { listenForViolations } from './observed-page.js';
import { signIn } from './sign-in.js';
import type { RunningApp } from './start-app.js';

/** A browser context, signed in as `loginName` if it is given. */
export async function contextOf(
  app: RunningApp,
  chromium: Chromium,
  loginName?: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await chromium.newContext(options);
  await listenForViolations(context);
  if (loginName === undefined) return context;
  const browser = app.browser();
  const page = await signIn(browser, loginName);
  if (page.url.pathname !== '/profile') throw new Error(`The sign-in ended at ${page.url.href}`);
  const cookies = await browser.cookies();
  await context.addCookies(cookies.map(({ key, value }) => ({ name: key, value, url: app.origin })));
  return context;
}
