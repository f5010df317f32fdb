import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { START_MS, startChromium } from '../support/chromium.js';
import { contextOf } from '../support/context-of.js';
import { overflow, picture, showIn, violations } from '../support/looks.js';
import { observedPage } from '../support/observed-page.js';
import { members, sandboxOfOrganizations } from '../support/organizations.js';
import { startApp, type RunningApp } from '../support/start-app.js';

let app: RunningApp;
let chromium: Browser;
beforeAll(async () => {
  const env = { ORGANIZATIONS: 'active' };
  [app, chromium] = await Promise.all([startApp({ env, sandbox: sandboxOfOrganizations }), startChromium()]);
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

async function opened(loginName: string, path: string, options: BrowserContextOptions = {}) {
  const observed = await observedPage(await contextOf(app, chromium, loginName, options));
  await observed.page.goto(app.origin + path);
  return observed;
}

const switcher = (page: Page) => page.getByRole('navigation').getByRole('combobox', { name: 'Organization' });
const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent();

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  it('The header switches the organization, and the page stays', async () => {
    const { page } = await opened(members.atHome, '/profile', { javaScriptEnabled });
    expect(await switcher(page).locator('option:checked').textContent()).toBe('Alpha');
    await switcher(page).selectOption('beta.example');
    await page.getByRole('navigation').getByRole('button', { name: 'Switch' }).click();
    await page.waitForURL(`${app.origin}/profile`);
    expect(await switcher(page).locator('option:checked').textContent()).toBe('beta.example');
    await page.getByRole('link', { name: 'Admin' }).click();
    expect(await page.getByRole('main').innerText()).toContain('You act for beta.example.');
    await page.context().close();
  });

  it('A page asks which organization is meant, and opens', async () => {
    const { page } = await opened(members.inTwo, '/admin', { javaScriptEnabled });
    expect(await heading(page)).toBe('Which organization?');
    const main = page.getByRole('main');
    await main.getByRole('combobox', { name: 'Organization' }).selectOption('alpha.example');
    await main.getByRole('button', { name: 'Switch' }).click();
    expect(new URL(page.url()).pathname).toBe('/admin');
    expect(await heading(page)).toBe('Admin');
    await page.context().close();
  });
});

it('The keyboard alone switches the organization', async () => {
  const { page, problems } = await opened(members.atHome, '/profile');
  await switcher(page).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Switch');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${app.origin}/profile`);
  expect(await switcher(page).locator('option:checked').textContent()).toBe('beta.example');
  expect(await problems()).toEqual([]);
  await page.context().close();
});

it('The form is not sent before an organization is chosen', async () => {
  const { page } = await opened(members.inTwo, '/');
  const navigation = page.getByRole('navigation');
  await navigation.getByRole('button', { name: 'Switch' }).click();
  expect(await navigation.locator('select:invalid').count()).toBe(1);
  // The only organization that helps is chosen already.
  await page.goto(`${app.origin}/admin`);
  expect(await page.getByRole('main').locator('select:valid').count()).toBe(1);
  await page.context().close();
});

describe.each([
  { name: 'organization-switch', loginName: members.atHome, path: '/profile' },
  { name: 'organization-choice', loginName: members.inTwo, path: '/admin' },
  { name: 'organization-elsewhere', loginName: members.atHome, path: '/admin' },
])('the page $name', ({ name, loginName, path }) => {
  it.each(['en', 'de', 'fr'])('is accessible, fits and is free of faults: %s', async (locale) => {
    const { page, problems } = await opened(loginName, path, { locale });
    for (const colorScheme of ['light', 'dark'] as const) {
      await showIn(page, colorScheme);
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page)).toBe(0);
        expect(await violations(page)).toEqual([]);
        await picture(page, `${name}-${locale}-${width}-${colorScheme}`);
      }
    }
    expect(await problems()).toEqual([]);
    await page.context().close();
  });
});
