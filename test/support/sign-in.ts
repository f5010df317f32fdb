import type { Browser, Page } from './browser.js';

/** Signs a user in at the sandbox through the login page. `from` is the requested page. */
export async function signIn(browser: Browser, loginName: string, from = '/auth/login'): Promise<Page> {
  const loginPage = await browser.get(from);
  const people = await browser.submit(loginPage, 'form[action$="/auth/signin/zitadel"]');
  return choose(browser, people, loginName);
}

/** Chooses a user on the sandbox's login page. */
export function choose(browser: Browser, people: Page, loginName: string): Promise<Page> {
  return browser.submit(people, 'form:has(button[name="loginName"])', { button: loginName });
}
