import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { LoginOrigin } from '../../packages/nestjs-zitadel/src/sign-in/login-origin.js';
import { START_MS, startChromium } from '../support/chromium.js';
import { startApp, type RunningApp } from '../support/start-app.js';
import { consoleErrorsOf } from '../support/observed-page.js';

let app: RunningApp;
let chromium: Browser;

beforeAll(async () => {
  [app, chromium] = await Promise.all([startApp(), startChromium()]);
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

describe.each([
  { javaScriptEnabled: true, name: 'with JavaScript' },
  { javaScriptEnabled: false, name: 'without JavaScript' },
])('in a browser $name,', ({ javaScriptEnabled }) => {
  it('a user signs in, sees the profile and signs out without a console error', async () => {
    const context = await chromium.newContext({ javaScriptEnabled, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const problems = consoleErrorsOf(page);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('requestfailed', (request) => problems.push(`${request.url()} failed`));

    await page.goto(app.origin);
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Continue with Zitadel' }).click();

    await page.waitForURL(`${app.sandbox.issuer}/**`);
    await page.getByRole('button', { name: /alice@acme\.example/ }).click();

    await page.waitForURL(`${app.origin}/profile`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Alice Archer');
    const text = await page.getByRole('main').innerText();
    for (const part of ['alice@acme.example', 'verified', 'admin', 'editor', 'Acme'])
      expect(text).toContain(part);

    await page.getByRole('main').getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(`${app.origin}/auth/logout/success`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('You are logged out');

    await page.goto(`${app.origin}/profile`);
    expect(new URL(page.url()).pathname).toBe('/auth/login');
    expect(problems).toEqual([]);
    await context.close();
  });
});

describe('with Login V2 on another origin and ZITADEL_LOGIN_ORIGINS unset,', () => {
  let own: RunningApp;
  beforeAll(async () => {
    own = await startApp({
      env: { ZITADEL_CHECK_AT_START: 'true' },
      sandbox: { loginOrigin: 'http://127.0.0.1:0' },
    });
    const login = own.app.get(LoginOrigin);
    while (login.origins.length === 0) await pause(20);
  });
  afterAll(() => own?.close());

  async function logInAndOut(press: (page: Page) => Promise<void>) {
    const context = await chromium.newContext();
    const page = await context.newPage();
    const problems = consoleErrorsOf(page);
    await page.goto(`${own.origin}/profile?from=here`);
    await press(page);
    await page.waitForURL(`${own.sandbox.loginOrigin}/**`);
    await page.getByRole('button', { name: /alice@acme\.example/ }).click();
    await page.waitForURL(`${own.origin}/profile?from=here`);
    await page.getByRole('main').getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(`${own.origin}/auth/logout/success`);
    expect(problems).toEqual([]);
    await context.close();
  }

  it('the sign-in form works once the check at start has found the login origin', async () => {
    expect(own.app.get(LoginOrigin).origins).toEqual([own.sandbox.loginOrigin]);
    await logInAndOut((page) => page.getByRole('button', { name: 'Continue with Zitadel' }).click());
  });

  it('the sign-in link works while the login origin is unknown', async () => {
    const early = own;
    own = await startApp({ sandbox: { loginOrigin: 'http://127.0.0.1:0' } });
    own.app.get(LoginOrigin).expect();
    await logInAndOut((page) => page.getByRole('link', { name: 'Continue with Zitadel' }).click());
    await early.close();
  });
});

it('the style sheet is applied to the landing page', async () => {
  const page = await chromium.newPage();
  await page.goto(app.origin);
  const button = page.getByRole('main').getByRole('link', { name: 'Log in' });
  expect(await button.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe(
    'rgb(11, 110, 95)',
  );
  await page.close();
});

it('the login page can be used with the keyboard alone', async () => {
  const page = await chromium.newPage();
  await page.goto(`${app.origin}/auth/login`);
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.textContent?.trim())) === 'Continue with Zitadel')
      break;
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(`${app.sandbox.issuer}/**`);
  expect(await page.getByRole('button', { name: /bob@acme\.example/ }).isVisible()).toBe(true);
  await page.close();
});
