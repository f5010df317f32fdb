import { loginAs, type TestClaims } from '@mridang/nestjs-auth/testing';
import type { Browser } from './browser.js';
import type { RunningApp } from './start-app.js';

const alice: TestClaims = { sub: '320000000000000001', name: 'Alice Archer', email: 'alice@acme.example' };

/**
 * A browser with a session of Alice, who has not signed in at Zitadel. Zitadel knows no tokens of this session: what reads userinfo
 * or refreshes tokens needs `signIn()`.
 */
export async function loggedIn(
  app: Pick<RunningApp, 'app' | 'origin' | 'browser'>,
  browser = app.browser(),
): Promise<Browser> {
  const { cookie } = await loginAs(app.app, alice);
  for (const pair of cookie.split('; ')) browser.jar.setCookieSync(`${pair}; Path=/`, app.origin);
  return browser;
}
