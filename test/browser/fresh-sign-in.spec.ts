import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { en } from '../../src/texts/en.js';
import { LoginOrigin } from '../../packages/nestjs-zitadel/src/sign-in/login-origin.js';
import { START_MS, startChromium } from '../support/chromium.js';
import { moveTime } from '../support/move-time.js';
import { startApp, type RunningApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let app: RunningApp;
let chromium: Browser;

beforeAll(async () => {
  // The pages of Login V2 may be on another origin, which the content security policy of a form has to allow.
  [app, chromium] = await Promise.all([
    startApp({
      env: { ZITADEL_CHECK_AT_START: 'true' },
      sandbox: { loginOrigin: 'http://127.0.0.1:0' },
    }),
    startChromium(),
  ]);
  await until(() => app.app.get(LoginOrigin).origins.length > 0);
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent();

async function chooseAtZitadel(page: Page, loginName: string) {
  await page.waitForURL(`${app.sandbox.loginOrigin}/**`);
  await page.getByRole('button', { name: new RegExp(loginName) }).click();
  await page.waitForURL(`${app.origin}/**`, { waitUntil: 'load' });
}

describe.each([
  { javaScriptEnabled: true, name: 'with JavaScript' },
  { javaScriptEnabled: false, name: 'without JavaScript' },
])('in a real browser $name', ({ javaScriptEnabled }) => {
  it('a page leads to a new sign-in and back, and a form back to itself with a note', async () => {
    const context = await chromium.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(`${app.origin}/danger?from=here`);
    await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
    await chooseAtZitadel(page, 'erin');
    expect([page.url(), await heading(page)]).toEqual([`${app.origin}/danger?from=here`, en['danger.title']]);

    moveTime(400_000);
    await page.goto(`${app.origin}/danger?from=here`);
    await chooseAtZitadel(page, 'erin');
    expect(page.url()).toBe(`${app.origin}/danger?from=here`);

    moveTime(400_000);
    await page.getByRole('button', { name: en['danger.button'] }).click();
    await chooseAtZitadel(page, 'erin');
    expect(page.url()).toBe(`${app.origin}/danger?from=here&form-not-sent=1`);
    expect(await page.getByRole('main').getByRole('status').textContent()).toBe(en['notice.formNotSent']);

    await page.getByRole('button', { name: en['danger.button'] }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(en['danger.done']).waitFor();
    expect(page.url()).toBe(`${app.origin}/danger?done`);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('a missing factor is named with a link to set it up', async () => {
    const context = await chromium.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(`${app.origin}/danger`);
    await page.getByRole('button', { name: 'Continue with Zitadel' }).click();
    await chooseAtZitadel(page, 'alice');
    await page.getByRole('button', { name: en['danger.button'] }).click();
    await chooseAtZitadel(page, 'alice');
    expect(await heading(page)).toBe(en['signIn.factor_missing.title']);
    const link = page.getByRole('link', { name: en['notice.factors'] });
    expect(await link.getAttribute('href')).toBe(`${app.sandbox.issuer}/ui/console/users/me?id=security`);
    await page.goto(`${app.origin}/profile`);
    expect(await heading(page)).toBe('Alice Archer');
    await context.close();
  });
});
