import type { Browser, Page } from './browser.js';

/** Presses "Log in" and chooses a person at the sandbox. `from` is the page first asked for. */
export async function signIn(browser: Browser, loginName: string, from = '/auth/login'): Promise<Page> {
  const loginPage = await browser.get(from);
  const people = await browser.submit(loginPage, 'form[action$="/auth/signin/zitadel"]');
  return choose(browser, people, loginName);
}

/** Chooses a person on the sandbox's login page. */
export function choose(browser: Browser, people: Page, loginName: string): Promise<Page> {
  return browser.submit(people, 'form:has(button[name="loginName"])', { button: loginName });
}
