import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { START_MS, startChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { apiEnvironment, startApi, type RunningApi } from '../support/start-api.js';

let sandbox: Sandbox;
let api: RunningApi;
let chromium: Browser;

beforeAll(async () => {
  const port = await freePort();
  sandbox = await startSandbox({
    swagger: { redirectUris: [`http://127.0.0.1:${port}/api/oauth2-redirect.html`] },
  });
  api = await startApi({
    APP_PORT: String(port),
    ...apiEnvironment(sandbox),
    API_SWAGGER_CLIENT_ID: sandbox.clients.swagger.clientId,
  });
  chromium = await startChromium();
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await api?.close();
  await sandbox?.close();
});

it.each(['/api', '/api/'])(
  'Swagger UI at %s signs a user in with PKCE and without a client secret, and calls the API',
  async (path) => {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 1000 } });
    const page = await context.newPage();
    const problems: string[] = [];
    context.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    context.on('weberror', (error) => problems.push(error.error().message));

    await page.goto(api.origin + path);
    await page.getByRole('button', { name: 'Authorize' }).click();
    const login = page.locator('.auth-container', { hasText: 'zitadel' });
    expect(await login.innerText()).not.toContain('client_secret');
    const popup = page.waitForEvent('popup');
    await login.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    await (await popup).getByRole('button', { name: /alice@acme\.example/ }).click();
    await login.getByText('Logout').waitFor();
    await page.getByRole('button', { name: 'Close' }).first().click();

    const route = page.locator('.opblock', { hasText: '/api/v1/app' });
    await route.getByRole('button', { name: /get/i }).first().click();
    await route.getByRole('button', { name: 'Try it out' }).click();
    await route.getByRole('button', { name: 'Execute' }).click();
    const answer = route.locator('.live-responses-table');
    await answer.waitFor();
    expect(await answer.locator('.response .response-col_status').innerText()).toContain('200');
    expect(await answer.innerText()).toContain('"Hello World!"');
    expect(problems).toEqual([]);

    const [{ form } = { form: undefined }] = sandbox.grants('authorization_code').slice(-1);
    expect(form?.['code_verifier']).toMatch(/^[\w.~-]{43,128}$/);
    expect(form?.['client_secret'] ?? '').toBe('');
    await context.close();
  },
);
