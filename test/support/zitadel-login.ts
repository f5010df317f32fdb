import type { Page } from 'playwright-core';

/** Fields and buttons of Login V1 and Login V2. */
const LOGIN_NAME = 'input[name="loginName"]:not([type="hidden"]), [data-testid="username-text-input"]';
const PASSWORD = 'input[name="password"], [data-testid="password-text-input"]';
const SUBMIT = '#submit-button, [data-testid="submit-button"]';

/** The pages of Login V2 react to a button only once their scripts run. */
const ATTEMPT_MS = 3_000;
const ATTEMPTS = 8;

/** Signs in at the page of Zitadel that is shown, Login V1 or V2. Ends when the browser is back at `origin`. */
export async function signInAtZitadel(
  page: Page,
  person: { loginName: string; password: string },
  origin: string,
): Promise<void> {
  const isBack = () => page.url().startsWith(origin);
  await submit(page, LOGIN_NAME, person.loginName, () => page.locator(PASSWORD).first().isVisible());
  await submit(page, PASSWORD, person.password, async () => isBack() || (await skip(page).isVisible()));
  if (!isBack()) await skip(page).click();
  await page.waitForURL((url) => url.origin === origin, { waitUntil: 'load' });
}

/** Zitadel may offer a second factor after the password. */
const skip = (page: Page) => page.getByRole('button', { name: /^skip$/i }).first();

async function submit(page: Page, field: string, value: string, isDone: () => Promise<boolean>) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await page.locator(field).first().fill(value);
    await page.locator(SUBMIT).first().click();
    const end = performance.now() + ATTEMPT_MS;
    while (performance.now() < end) {
      if (await isDone().catch(() => false)) return;
      await page.waitForTimeout(50);
    }
  }
  throw new Error(
    `The login page did not accept the ${value === '' ? 'form' : 'input'}: ${page.url().split('?')[0]}`,
  );
}
