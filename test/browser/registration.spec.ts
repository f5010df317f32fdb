import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { START_MS, startChromium } from '../support/chromium.js';
import { contextOf } from '../support/context-of.js';
import { overflow, picture, violations } from '../support/looks.js';
import { observedPage } from '../support/observed-page.js';
import { startApp, type RunningApp } from '../support/start-app.js';

let apps: Record<1 | 2, RunningApp>;
let chromium: Browser;
beforeAll(async () => {
  const start = (loginVersion: 1 | 2) =>
    startApp({ env: { ZITADEL_REGISTRATION: 'true' }, sandbox: { web: { loginVersion } } });
  const [one, two, browser] = await Promise.all([start(1), start(2), startChromium()]);
  apps = { 1: one, 2: two };
  chromium = browser;
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  for (const app of Object.values(apps ?? {})) await app.close();
});

async function typeAll(page: Page, fields: Record<string, string>) {
  for (const [label, value] of Object.entries(fields))
    await page.getByLabel(label, { exact: true }).fill(value);
}

const next = (page: Page) => page.locator('form button.main').first().click();

/** Fills in the pages of the sandbox. */
async function register(page: Page, loginVersion: 1 | 2, email: string) {
  await typeAll(page, { 'First name': 'Nora', 'Last name': 'New', 'E-Mail': email });
  if (loginVersion === 2) await next(page);
  await typeAll(page, {
    Password: 'Password1!',
    [loginVersion === 1 ? 'Password confirmation' : 'Confirm password']: 'Password1!',
  });
  await next(page);
  await typeAll(page, { Code: (await page.locator('main p code').first().textContent()) ?? '' });
  await next(page);
  if (loginVersion === 1) await next(page);
}

describe.each([
  [1, true],
  [1, false],
  [2, true],
  [2, false],
] as const)('with Login V%i and JavaScript: %s', (loginVersion, javaScriptEnabled) => {
  it('a visitor creates an account from the start page, and is signed in', async () => {
    const app = apps[loginVersion];
    const { page, problems } = await observedPage(
      await contextOf(app, chromium, undefined, { javaScriptEnabled }),
    );
    await page.goto(app.origin);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
    await register(page, loginVersion, `nora-${javaScriptEnabled}@example.com`);
    await page.waitForURL(`${app.origin}/profile`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Nora New');
    expect(await problems()).toEqual([]);
    await page.context().close();
  });
});

it('The button that begins a registration works with the keyboard', async () => {
  const app = apps[2];
  const { page } = await observedPage(await contextOf(app, chromium));
  await page.goto(`${app.origin}/auth/login?prompt=create`);
  const button = page.getByRole('button', { name: 'Continue with Zitadel' });
  for (let tabs = 0; tabs < 15 && !(await button.evaluate((one) => one === document.activeElement)); tabs++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${app.sandbox.issuer}/**`);
  await page.context().close();
});

describe.each(['/', '/auth/login', '/auth/login?prompt=create'])('the page %s', (path) => {
  it.each(['en', 'de', 'fr'])('is accessible and fits with the button to register: %s', async (locale) => {
    const { page, problems } = await observedPage(await contextOf(apps[2], chromium, undefined, { locale }));
    await page.goto(apps[2].origin + path);
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page)).toBe(0);
      expect(await violations(page)).toEqual([]);
      await picture(page, `registration${path.replaceAll(/\W+/g, '-')}-${locale}-${width}`);
    }
    expect(await problems()).toEqual([]);
    await page.context().close();
  });
});
