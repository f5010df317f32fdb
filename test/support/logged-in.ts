import { loginAs, type TestClaims } from '@mridang/nestjs-auth/testing';
import type { Browser } from './browser.js';
import type { RunningApp } from './start-app.js';

/**
 * A browser with the session of somebody who has not signed in at Zitadel. Zitadel knows no tokens of this session: what reads userinfo
 * or refreshes tokens needs `signIn()`.
 */
export async function loggedIn(app: RunningApp, claims: TestClaims): Promise<Browser> {
  const browser = app.browser();
  const { cookie } = await loginAs(app.app, claims);
  for (const pair of cookie.split('; ')) browser.jar.setCookieSync(`${pair}; Path=/`, app.origin);
  return browser;
}
